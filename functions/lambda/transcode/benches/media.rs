//! `cargo xtask bench media`: the ladder of a minute of 720p, made by a child process and by the `ffmpeg` program with one
//! decode, the same settings of x264 and as many threads; and one worker beside two that share the video.
//!
//! Each run is a process of its own, whose wall time and whose children's peak of memory are taken; runs alternate, and the
//! best of each counts. Ours does more: it listens to the sound first, and makes the poster and the small pictures.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::disallowed_methods, reason = "time is what is measured here")]

use akademi_transcode::{
    Limits, Part, Task,
    child::{Child, Survey, Video},
};
use serde::{Deserialize, Serialize};
use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

const ROUNDS: usize = 3;
const SECONDS: u32 = 60;

/// What one run took.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Cost {
    seconds: f64,
    /// Processor time of all processes.
    cpu_seconds: f64,
    /// Of the largest process, in bytes.
    peak_bytes: u64,
}

#[derive(Serialize)]
struct Row {
    what: &'static str,
    seconds: f64,
    cpu_seconds: f64,
    peak_megabytes: u64,
    /// To the row before it that it is measured by.
    wall_ratio: Option<f64>,
    cpu_ratio: Option<f64>,
    memory_ratio: Option<f64>,
    aim: &'static str,
}

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["run", what, film] => run(what, Path::new(film)),
        _ => compare(arguments.contains(&"--json")),
    }
}

/// All runs, and their ratios.
fn compare(json: bool) {
    let folder = tempfile::tempdir().unwrap();
    let film = folder.path().join("film.mp4");
    ffmpeg(
        &["-stream_loop", "11", "-i", bunny().to_str().unwrap(), "-t", &SECONDS.to_string(), "-c", "copy"],
        &film,
    );
    let best = |names: [&'static str; 2]| -> [Cost; 2] {
        let mut best: [Option<Cost>; 2] = [None, None];
        for _ in 0..ROUNDS {
            for (name, best) in names.iter().zip(&mut best) {
                let cost = measured(name, &film);
                let least = best.get_or_insert(cost);
                least.seconds = least.seconds.min(cost.seconds);
                least.cpu_seconds = least.cpu_seconds.min(cost.cpu_seconds);
                least.peak_bytes = least.peak_bytes.min(cost.peak_bytes);
            }
        }
        best.map(Option::unwrap)
    };
    let [program, child] = best(["ffmpeg", "ours"]);
    let [one, two] = best(["one", "two"]);
    for (what, cost, beside, aim) in [
        ("ffmpeg program", program, None, ""),
        ("child process", child, Some(program), "at most 1.05 of its time, 1.1 of its memory"),
        ("one worker, one thread", one, None, ""),
        ("two workers, one thread each", two, Some(one), "at most 0.6 of its time"),
    ] {
        let ratio = |of: f64, to: f64| (of / to * 1000.0).round() / 1000.0;
        let row = Row {
            what,
            seconds: (cost.seconds * 100.0).round() / 100.0,
            cpu_seconds: (cost.cpu_seconds * 100.0).round() / 100.0,
            peak_megabytes: cost.peak_bytes >> 20,
            wall_ratio: beside.map(|beside: Cost| ratio(cost.seconds, beside.seconds)),
            cpu_ratio: beside.map(|beside: Cost| ratio(cost.cpu_seconds, beside.cpu_seconds)),
            memory_ratio: beside.map(|beside: Cost| ratio(cost.peak_bytes as f64, beside.peak_bytes as f64)),
            aim,
        };
        if json {
            println!("{}", serde_json::to_string(&row).unwrap());
        } else {
            let shown = |ratio: Option<f64>| ratio.map(|ratio| format!("{ratio:.3} ×")).unwrap_or_default();
            println!(
                "{what:<30}{:>9.2} s{:>10}{:>9.2} CPU s{:>10}{:>7} MB{:>10}   {aim}",
                row.seconds,
                shown(row.wall_ratio),
                row.cpu_seconds,
                shown(row.cpu_ratio),
                row.peak_megabytes,
                shown(row.memory_ratio)
            );
        }
    }
}

/// One run, in a process of its own.
fn measured(what: &str, film: &Path) -> Cost {
    let output = Command::new(env::current_exe().unwrap()).args(["run", what]).arg(film).output().unwrap();
    assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn run(what: &str, film: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let started = Instant::now();
    match what {
        "ffmpeg" => program(film, folder.path()),
        "ours" => block_on(make(film, &[Part::Whole], 2, folder.path())),
        "one" => block_on(make(film, &[Part::Whole], 1, folder.path())),
        "two" => {
            let half_ms = u64::from(SECONDS / 2) * 1000;
            let first = Part::Pictures { from_ms: 0, until_ms: Some(half_ms) };
            let second = Part::Pictures { from_ms: half_ms, until_ms: None };
            block_on(async {
                let (one, other) = (folder.path().join("one"), folder.path().join("other"));
                let (early, late) = ([first, Part::Sound], [second]);
                tokio::join!(make(film, &early, 1, &one), make(film, &late, 1, &other));
            });
        }
        what => panic!("there is no run {what}"),
    }
    let seconds = started.elapsed().as_secs_f64();
    let (cpu_seconds, peak_bytes) = used_by_children();
    let cost = Cost { seconds, cpu_seconds, peak_bytes };
    println!("{}", serde_json::to_string(&cost).unwrap());
}

fn block_on(future: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future);
}

/// These parts, one after the other, as a worker does them.
async fn make(film: &Path, parts: &[Part], threads: u16, folder: &Path) {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_transcode-child"));
    let limits = Limits { threads, ..Limits::default() };
    let child = Child { program: Some(program), video: Video::File(film.to_owned()), limits };
    let Survey { plan, .. } = child.survey().await.unwrap();
    for (part, number) in parts.iter().zip(0..) {
        let task = Task { plan: plan.clone(), part: *part, key: None };
        child.make(&task, &folder.join(number.to_string()), |_| ()).await.unwrap();
    }
}

/// The same ladder by the `ffmpeg` program.
fn program(film: &Path, folder: &Path) {
    let sizes = [("1280:720", "2800000"), ("854:480", "1200000"), ("426:240", "400000")];
    let mut graph = "[0:v]split=3[s0][s1][s2]".to_owned();
    for (index, (size, _)) in sizes.iter().enumerate() {
        graph.push_str(&format!(";[s{index}]scale={size}:flags=bicubic,format=yuv420p[v{index}]"));
    }
    let mut arguments: Vec<String> =
        ["-threads", "2", "-i", film.to_str().unwrap(), "-filter_complex_threads", "2"]
            .map(str::to_owned)
            .to_vec();
    arguments.extend(["-filter_complex".to_owned(), graph]);
    for (index, (_, rate)) in sizes.iter().enumerate() {
        let buffer = (rate.parse::<u32>().unwrap() * 2).to_string();
        let label = format!("[v{index}]");
        arguments.extend(
            [
                "-map",
                &label,
                "-c:v",
                "libx264",
                "-preset",
                "veryfast",
                "-profile:v",
                "high",
                "-crf",
                "23",
                "-maxrate",
                rate,
                "-bufsize",
                &buffer,
                "-threads",
                "2",
                "-forced-idr",
                "1",
                "-force_key_frames",
                "expr:gte(t,n_forced*2)",
                "-x264-params",
                "keyint=infinite:scenecut=0:open-gop=0",
            ]
            .map(str::to_owned),
        );
        arguments.extend(hls(folder, &format!("v{index}")));
    }
    arguments.extend(
        ["-map", "0:a", "-c:a", "aac", "-b:a", "128000", "-ar", "48000", "-ac", "2"].map(str::to_owned),
    );
    arguments.extend(hls(folder, "audio"));
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let status =
        Command::new("ffmpeg").args(["-v", "error", "-nostdin", "-y"]).args(arguments).status().unwrap();
    assert!(status.success());
}

/// One rendition of the program's, in segments as ours.
fn hls(folder: &Path, name: &str) -> Vec<String> {
    let folder = folder.join(name);
    std::fs::create_dir(&folder).unwrap();
    let playlist = folder.join("index.m3u8");
    [
        "-f",
        "hls",
        "-hls_time",
        "6",
        "-hls_segment_type",
        "fmp4",
        "-hls_playlist_type",
        "vod",
        playlist.to_str().unwrap(),
    ]
    .map(str::to_owned)
    .to_vec()
}

fn ffmpeg(arguments: &[&str], output: &Path) {
    let status = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-y"])
        .args(arguments)
        .arg(output)
        .status()
        .unwrap();
    assert!(status.success());
}

/// A real film of five seconds.
fn bunny() -> PathBuf {
    let folder = env::var_os("AKADEMI_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(4).unwrap().join("shared/data"),
        PathBuf::from,
    );
    folder.join("bigbuckbunny.mp4")
}

/// The processor time of all processes which this one has waited for, in seconds, and the most memory that one of them had,
/// in bytes (getrusage(2), which has kilobytes).
fn used_by_children() -> (f64, u64) {
    // SAFETY: all of `rusage` are numbers, for which zero is a value; the call fills it.
    let usage = unsafe {
        let mut usage = std::mem::zeroed::<libc::rusage>();
        libc::getrusage(libc::RUSAGE_CHILDREN, &raw mut usage);
        usage
    };
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    (seconds(usage.ru_utime) + seconds(usage.ru_stime), u64::try_from(usage.ru_maxrss).unwrap_or(0) * 1024)
}
