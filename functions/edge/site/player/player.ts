// The player of a lesson: what plays it, where the learner was, what counts.

import Hls from "hls.js";

import { Refused, ask } from "./api";
import { type Counted, Heartbeats } from "./heartbeats";
import { say } from "./words";

interface Asset {
  from: "asset";
  playlist: string;
  poster: string | null;
  duration_ms: number;
  start_seconds: number | null;
  end_seconds: number | null;
}

interface Youtube {
  from: "youtube";
  embed_url: string;
}

interface Lesson {
  standing: { watched_seconds: number; position_seconds: number; completed_at: string | null };
}

/** How near the end nobody wants to go on from, in seconds. */
const END_SECONDS = 5;
/** Links end while a player is paused for long: then it asks for its playlist again, no more often than this. */
const RELOAD_MILLIS = 30_000;

const main = document.querySelector("main") as HTMLElement;
const video = document.querySelector("video") as HTMLVideoElement;
const { course = "", lesson = "" } = main.dataset;
const address = `/api/v1/learning/courses/${course}/lessons/${lesson}`;

function tell(key: string): void {
  (document.getElementById("told") as HTMLElement).textContent = key === "" ? "" : say(key);
}

function show(watched: number, length: number): void {
  const bar = document.getElementById("counted") as HTMLProgressElement;
  bar.max = Math.max(length, 1);
  bar.value = watched;
  (document.getElementById("seconds") as HTMLElement).textContent = `${watched} / ${length} ${say("seconds")}`;
}

function play(asset: Asset, from: number): void {
  if (!Hls.isSupported()) {
    // Safari plays HLS itself.
    video.src = asset.playlist;
    video.addEventListener("loadedmetadata", () => (video.currentTime = from), { once: true });
    return;
  }
  const hls = new Hls({ startPosition: from, enableWorker: false });
  let reloaded = 0;
  hls.on(Hls.Events.ERROR, (_, error) => {
    if (!error.fatal) return;
    if (error.type === Hls.ErrorTypes.MEDIA_ERROR) return hls.recoverMediaError();
    if (Date.now() - reloaded < RELOAD_MILLIS) return tell(navigator.onLine ? "other" : "offline");
    reloaded = Date.now();
    hls.loadSource(asset.playlist);
    hls.startLoad(video.currentTime);
  });
  hls.loadSource(asset.playlist);
  hls.attachMedia(video);
}

async function begin(): Promise<void> {
  const playing = await ask<Asset | Youtube>(`${address}/playback`);
  if (playing.from === "youtube") {
    const frame = document.createElement("iframe");
    frame.src = playing.embed_url;
    frame.allowFullscreen = true;
    video.replaceWith(frame);
    return;
  }
  const { standing } = await ask<Lesson>(address);
  const length = Math.floor(playing.duration_ms / 1000);
  const end = playing.end_seconds ?? length;
  const resumed = standing.position_seconds < end - END_SECONDS ? standing.position_seconds : 0;
  if (playing.poster !== null) video.poster = playing.poster;
  show(standing.watched_seconds, length);
  if (standing.completed_at !== null) tell("completed");
  play(playing, resumed || (playing.start_seconds ?? 0));
  const counted = (now: Counted): void => {
    show(now.watched_seconds, length);
    tell(now.lesson_completed ? "completed" : (now.refusal ?? ""));
  };
  new Heartbeats(video, course, lesson, counted).start();
}

begin().catch((error: unknown) => {
  if (!(error instanceof Refused)) return tell("other");
  tell(error.status === 401 ? "not-signed-in" : error.slug);
});
