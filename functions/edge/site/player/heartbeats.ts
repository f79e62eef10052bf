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
      const [from, to] = [video.played.start(i), Math.min(video.played.end(i), end)];
      if (from < to) played.push([from, to]);
    }
    const isTold = ([from, to]: Interval) => this.told.some(([start, stop]) => start <= from && to <= stop);
    const intervals = played.filter((interval) => !isTold(interval)).slice(0, MAX_INTERVALS);
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
    // What was refused is told again: by then time may have passed for it.
    if (answer.refused_seconds === 0) this.told.push(...intervals);
    this.counted(answer);
  }
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
