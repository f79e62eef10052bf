// Tells the academy what was played. The browser keeps which parts of the video were (`played` of HTML's media elements),
// and what is told twice changes nothing: so what could not be told now is told by the next heartbeat.

import { ask } from "./api";

/** Seconds between heartbeats while the video plays. */
const BEAT_SECONDS = 10;
/** The most intervals that one heartbeat may have. */
const MAX_INTERVALS = 64;

export interface Counted {
  watched_seconds: number;
  refused_seconds: number;
  refusal: string | null;
  lesson_completed: boolean;
}

type Interval = [number, number];

export class Heartbeats {
  private readonly playback = uuid7();
  private told: Interval[] = [];
  /** Whether something that was told does not count. */
  private isRefused = false;
  private beating: Promise<void> = Promise.resolve();

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly course: string,
    private readonly lesson: string,
    private readonly counted: (counted: Counted) => void,
  ) {}

  /** Says that the player is open, from when on time counts, and goes on telling. */
  start(): void {
    this.beat();
    for (const event of ["pause", "ended", "ratechange", "seeking"]) {
      this.video.addEventListener(event, () => this.beat());
    }
    // Told once more, it would only be refused once more, until the learner goes back to it.
    this.video.addEventListener("seeked", () => {
      if (this.isRefused) [this.told, this.isRefused] = [[], false];
    });
    setInterval(() => !this.video.paused && this.beat(), BEAT_SECONDS * 1000);
    // The last that a page hears.
    addEventListener("pagehide", () => void this.tell(true).catch(() => undefined));
  }

  /** One after the other, so that each tells what the one before did not. */
  private beat(): void {
    this.beating = this.beating.then(() => this.tell(false)).catch(() => undefined);
  }

  private async tell(isLast: boolean): Promise<void> {
    const { video } = this;
    const end = Number.isFinite(video.duration) ? video.duration : Infinity;
    const played: Interval[] = [];
    for (let i = 0; i < video.played.length; i++) {
      played.push([video.played.start(i), Math.min(video.played.end(i), end)]);
    }
    const intervals = this.told.reduce(without, played).slice(0, MAX_INTERVALS);
    const answer = await ask<Counted>(
      "/api/v1/progress/heartbeats",
      {
        course: this.course,
        lesson: this.lesson,
        playback: this.playback,
        intervals,
        position: Math.min(video.currentTime, end),
        rate: video.playbackRate,
      },
      isLast,
    );
    // Whole seconds count: what goes on where this ended begins at the second in which it did.
    const whole = intervals.map(([from, to]): Interval => [Math.ceil(from), Math.floor(to)]);
    this.told.push(...whole.filter(([from, to]) => from < to));
    this.isRefused ||= answer.refused_seconds > 0;
    this.counted(answer);
  }
}

/** These intervals without what lies in `hole`. */
function without(intervals: Interval[], hole: Interval): Interval[] {
  const parts = intervals.flatMap(([from, to]): Interval[] => [
    [from, Math.min(to, hole[0])],
    [Math.max(from, hole[1]), to],
  ]);
  return parts.filter(([from, to]) => from < to);
}

/** RFC 9562 §5.7. */
function uuid7(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  new DataView(bytes.buffer).setBigUint64(0, (BigInt(Date.now()) << 16n) | BigInt(bytes[6] * 256 + bytes[7]));
  bytes[6] = (bytes[6] & 0x0f) | 0x70;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, "$1-$2-$3-$4-$5");
}
