//! `cargo xtask bench images`: a photo of twelve megapixels in three sizes and three formats, by this crate and by libvips.
//!
//! Each run is a process of its own, whose wall time, processor time and memory are taken with those of its children; runs
//! alternate, and the best of each counts. libvips makes each size once, from as many pixels as its JPEG decoder needs, and
//! writes it in each format, all with its programs, in Debian's package `libvips-tools`. Qualities are such that both write
//! about as much; both sums of bytes are shown.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::disallowed_methods, reason = "time is what is measured here")]

use akademi_images::{Crop, Limits, Preset, variants};
use serde::{Deserialize, Serialize};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

const ROUNDS: usize = 3;
const PRESET: Preset = Preset::CourseCard;
/// What libvips is to write: its own scale of AVIF is another one, of which 50 is what it does unasked.
const FORMATS: [&str; 3] =
    ["avif[Q=50,strip]", "webp[Q=78,strip]", "jpg[Q=80,interlace,optimize-coding,strip]"];

/// What one run took.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Cost {
    seconds: f64,
    /// Processor time of all processes.
    cpu_seconds: f64,
    /// Of the largest process, in bytes.
    peak_bytes: u64,
    /// Of all files that were written.
    written_bytes: u64,
}

#[derive(Serialize)]
struct Row {
    what: &'static str,
    seconds: f64,
    cpu_seconds: f64,
    peak_megabytes: u64,
    written_bytes: u64,
    /// To libvips.
    wall_ratio: Option<f64>,
    cpu_ratio: Option<f64>,
    memory_ratio: Option<f64>,
    written_ratio: Option<f64>,
}

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["run", what, photo] => run(what, Path::new(photo)),
        _ => compare(arguments.contains(&"--json")),
    }
}

/// All runs, and their ratios.
fn compare(json: bool) {
    let has_libvips = Command::new("vipsthumbnail").arg("--version").output().is_ok();
    assert!(has_libvips, "the baseline is not here: apt-get install libvips-tools");
    let folder = tempfile::tempdir().unwrap();
    let photo = folder.path().join("photo.jpg");
    take(&photo);
    let mut best: [Option<Cost>; 2] = [None, None];
    for _ in 0..ROUNDS {
        for (name, best) in ["libvips", "ours"].into_iter().zip(&mut best) {
            let cost = measured(name, &photo);
            let least = best.get_or_insert(cost);
            least.seconds = least.seconds.min(cost.seconds);
            least.cpu_seconds = least.cpu_seconds.min(cost.cpu_seconds);
            least.peak_bytes = least.peak_bytes.min(cost.peak_bytes);
        }
    }
    let [libvips, ours] = best.map(Option::unwrap);
    for (what, cost, beside) in [("libvips", libvips, None), ("akademi-images", ours, Some(libvips))] {
        let rounded = |number: f64| (number * 1000.0).round() / 1000.0;
        let ratio = |of: fn(&Cost) -> f64| beside.as_ref().map(|beside| rounded(of(&cost) / of(beside)));
        let row = Row {
            what,
            seconds: rounded(cost.seconds),
            cpu_seconds: rounded(cost.cpu_seconds),
            peak_megabytes: cost.peak_bytes >> 20,
            written_bytes: cost.written_bytes,
            wall_ratio: ratio(|cost| cost.seconds),
            cpu_ratio: ratio(|cost| cost.cpu_seconds),
            memory_ratio: ratio(|cost| cost.peak_bytes as f64),
            written_ratio: ratio(|cost| cost.written_bytes as f64),
        };
        if json {
            println!("{}", serde_json::to_string(&row).unwrap());
        } else {
            let shown = |ratio: Option<f64>| ratio.map(|ratio| format!("{ratio:.3} ×")).unwrap_or_default();
            println!(
                "{what:<16}{:>8.3} s{:>10}{:>8.3} CPU s{:>10}{:>6} MB{:>10}{:>9} bytes{:>10}",
                row.seconds,
                shown(row.wall_ratio),
                row.cpu_seconds,
                shown(row.cpu_ratio),
                row.peak_megabytes,
                shown(row.memory_ratio),
                row.written_bytes,
                shown(row.written_ratio)
            );
        }
    }
}

/// One run, in a process of its own.
fn measured(what: &str, photo: &Path) -> Cost {
    let output = Command::new(env::current_exe().unwrap()).args(["run", what]).arg(photo).output().unwrap();
    assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn run(what: &str, photo: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let started = Instant::now();
    match what {
        "libvips" => libvips(photo, folder.path()),
        "ours" => ours(photo, folder.path()),
        what => panic!("there is no run {what}"),
    }
    let seconds = started.elapsed().as_secs_f64();
    let (cpu_seconds, peak_bytes) = used();
    let files = fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().path());
    let written: Vec<PathBuf> =
        files.filter(|file| file.extension().is_some_and(|name| name != "v")).collect();
    assert_eq!(written.len(), 9);
    let written_bytes = written.iter().map(|file| fs::metadata(file).unwrap().len()).sum();
    println!("{}", serde_json::to_string(&Cost { seconds, cpu_seconds, peak_bytes, written_bytes }).unwrap());
}

fn ours(photo: &Path, folder: &Path) {
    let source = fs::read(photo).unwrap();
    for variant in variants(&source, PRESET, Crop::default(), &Limits::default()).unwrap() {
        fs::write(folder.join(variant.name()), &variant.content).unwrap();
    }
}

fn libvips(photo: &Path, folder: &Path) {
    let ratio = PRESET.aspect_ratio().unwrap();
    for width in PRESET.widths() {
        let size = format!("{width}x{}", width * ratio.height / ratio.width);
        let cut = folder.join(format!("{width}.v"));
        let mut thumbnail = Command::new("vipsthumbnail");
        thumbnail.arg(photo).args([
            "--size",
            &size,
            "--smartcrop",
            "centre",
            "--export-profile",
            "srgb",
            "-o",
        ]);
        succeed(thumbnail.arg(&cut));
        for format in FORMATS {
            succeed(Command::new("vips").arg("copy").arg(&cut).arg(folder.join(format!("{width}.{format}"))));
        }
    }
}

/// A photo of 4000 by 3000 pixels: frames of a film beside each other in their own size, with the noise of a sensor.
fn take(photo: &Path) {
    let data = env::var_os("AKADEMI_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(4).unwrap().join("shared/data"),
        PathBuf::from,
    );
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-v", "error", "-nostdin", "-i"]).arg(data.join("bigbuckbunny.mp4"));
    ffmpeg.args(["-frames:v", "1", "-vf", "fps=4,tile=4x5,crop=4000:3000,noise=alls=6:allf=t", "-q:v", "3"]);
    succeed(ffmpeg.arg(photo));
}

fn succeed(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// The processor time of this process and of all which it has waited for, in seconds, and the most memory that one of them
/// had, in bytes (getrusage(2), which has kilobytes).
fn used() -> (f64, u64) {
    let [own, children] = [libc::RUSAGE_SELF, libc::RUSAGE_CHILDREN].map(|who| {
        // SAFETY: all of `rusage` are numbers, for which zero is a value; the call fills it.
        unsafe {
            let mut usage = std::mem::zeroed::<libc::rusage>();
            libc::getrusage(who, &raw mut usage);
            usage
        }
    });
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    let cpu = [own, children].map(|usage| seconds(usage.ru_utime) + seconds(usage.ru_stime));
    let peak = own.ru_maxrss.max(children.ru_maxrss);
    (cpu.iter().sum(), u64::try_from(peak).unwrap_or(0) * 1024)
}
