//! What stands outside the engine: where sources come from, and FFmpeg's own programs as the reader of results.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use akademi_transcode::{
    Limits, Made, Manifest, Part, Progress, Task, TranscodeError,
    child::{Child, Video},
    encryption::ContentKey,
};
use tempfile::TempDir;

/// A file that nobody on this project made; its absence is a failure.
pub fn real_file(name: &str) -> PathBuf {
    let folder = env::var_os("AKADEMI_DATA").map_or_else(
        || {
            let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3).unwrap();
            workspace.parent().unwrap().join("shared/data")
        },
        PathBuf::from,
    );
    let file = folder.join(name);
    assert!(file.is_file(), "{} is missing: set AKADEMI_DATA", file.display());
    file
}

/// Runs the `ffmpeg` program, which must succeed.
pub fn ffmpeg(arguments: &[&str]) -> String {
    let output = Command::new("ffmpeg")
        .args(["-hide_banner", "-nostdin", "-y"])
        .args(arguments)
        .output()
        .expect("the ffmpeg program is installed");
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "ffmpeg {arguments:?}\n{log}");
    log
}

/// Makes a file of this name with these arguments of `ffmpeg`.
pub fn make(name: &str, arguments: &[&str]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(name);
    let mut arguments = arguments.to_vec();
    arguments.push(file.to_str().unwrap());
    ffmpeg(&arguments);
    (folder, file)
}

/// A real film of five seconds, made small, so often one after the other.
pub fn loop_of_bunny(times: u32) -> (TempDir, PathBuf) {
    let (film, loops) = (real_file("bigbuckbunny.mp4"), (times - 1).to_string());
    let small =
        ["-vf", "scale=640:360", "-c:v", "libx264", "-preset", "veryfast", "-crf", "18", "-c:a", "copy"];
    make("loop.mp4", &[&["-stream_loop", &loops, "-i", film.to_str().unwrap()], &small[..]].concat())
}

/// Runs the `ffprobe` program, which must succeed and complain of nothing.
pub fn ffprobe(arguments: &[&str], file: &Path) -> serde_json::Value {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-of", "json"])
        .args(arguments)
        .arg(file)
        .output()
        .expect("the ffprobe program is installed");
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && complaints.is_empty(), "ffprobe {}\n{complaints}", file.display());
    serde_json::from_slice(&output.stdout).unwrap()
}

pub fn child(source: &Path, limits: &Limits) -> Child {
    Child {
        program: Some(PathBuf::from(env!("CARGO_BIN_EXE_transcode-child"))),
        video: Video::File(source.to_owned()),
        limits: limits.clone(),
    }
}

/// The whole of it, with its playlists.
pub async fn run(
    child: &Child,
    output: &Path,
    on_progress: impl FnMut(Progress),
) -> Result<Manifest, TranscodeError> {
    whole(child, output, None, on_progress).await
}

async fn whole(
    child: &Child,
    output: &Path,
    key: Option<ContentKey>,
    on_progress: impl FnMut(Progress),
) -> Result<Manifest, TranscodeError> {
    let plan = child.survey().await?.plan;
    let task = Task { plan, part: Part::Whole, key };
    let made = child.make(&task, output, on_progress).await?;
    Ok(write_playlists(&task, made, output))
}

/// What a job writes beside what children have made.
pub fn write_playlists(task: &Task, made: Made, output: &Path) -> Manifest {
    let (manifest, texts) = Manifest::of(&task.plan, made);
    for text in texts {
        let path = output.join(&text.file.path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text.text).unwrap();
    }
    manifest
}

pub async fn transcode(source: &Path, output: &Path) -> Result<Manifest, TranscodeError> {
    run(&child(source, &Limits::default()), output, |_| ()).await
}

pub fn is_empty(folder: &Path) -> bool {
    !folder.exists() || fs::read_dir(folder).unwrap().next().is_none()
}

/// A transcode that succeeded, to ask questions of.
pub struct Transcoded {
    pub manifest: Manifest,
    pub folder: TempDir,
}

impl Transcoded {
    pub async fn of(source: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let manifest = transcode(source, folder.path()).await.unwrap();
        Self { manifest, folder }
    }

    pub async fn encrypted(source: &Path, key: ContentKey) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let child = child(source, &Limits::default());
        let manifest = whole(&child, folder.path(), Some(key), |_| ()).await.unwrap();
        Self { manifest, folder }
    }

    pub fn path(&self, relative: &str) -> PathBuf {
        self.folder.path().join(relative)
    }

    pub fn text(&self, relative: &str) -> String {
        fs::read_to_string(self.path(relative)).unwrap()
    }

    /// Presentation times of a rendition's pictures in seconds, in order, and whether each is a keyframe.
    pub fn pictures(&self, playlist: &str) -> Vec<(f64, bool)> {
        let probed = ffprobe(
            &["-select_streams", "v", "-show_packets", "-show_entries", "packet=pts_time,flags"],
            &self.path(playlist),
        );
        let mut pictures: Vec<_> = probed["packets"]
            .as_array()
            .unwrap()
            .iter()
            .map(|packet| {
                let moment = packet["pts_time"].as_str().unwrap().parse().unwrap();
                (moment, packet["flags"].as_str().unwrap().starts_with('K'))
            })
            .collect();
        pictures.sort_by(|one, other| one.partial_cmp(other).unwrap());
        pictures
    }

    pub fn keyframes(&self, playlist: &str) -> Vec<f64> {
        let pictures = self.pictures(playlist).into_iter();
        pictures.filter(|(_, is_key)| *is_key).map(|(moment, _)| moment).collect()
    }

    /// Checks what holds of every result, whatever the source: the files are those of the manifest, ffprobe reads all
    /// of it, durations agree within a frame, no picture is larger than the source, keyframes agree.
    pub fn check(&self, source_seconds: f64, (width, height): (u64, u64), frame_seconds: f64) {
        let manifest = &self.manifest;
        for file in &manifest.files {
            assert_eq!(fs::metadata(self.path(&file.path)).unwrap().len(), file.bytes, "{}", file.path);
        }
        let milliseconds = manifest.duration_ms as f64;
        assert!((milliseconds / 1000.0 - source_seconds).abs() <= frame_seconds, "{milliseconds} ms");

        let programs = ffprobe(&["-show_programs"], &self.path(&manifest.master));
        assert_eq!(programs["programs"].as_array().unwrap().len(), manifest.renditions.len());
        let keyframes = self.keyframes(&manifest.renditions[0].playlist);
        assert!(!keyframes.is_empty());
        for rendition in &manifest.renditions {
            let path = self.path(&rendition.playlist);
            let probed = ffprobe(&["-show_streams", "-show_format"], &path);
            let stream = &probed["streams"][0];
            assert_eq!(stream["codec_name"], "h264");
            assert_eq!(stream["profile"], "High");
            assert_eq!(stream["pix_fmt"], "yuv420p");
            assert_eq!(
                (stream["width"].as_u64(), stream["height"].as_u64()),
                (Some(rendition.width.into()), Some(rendition.height.into()))
            );
            assert!(u64::from(rendition.width) <= width && u64::from(rendition.height) <= height);
            let level = stream["level"].as_u64().unwrap();
            assert!(rendition.codecs.starts_with(&format!("avc1.6400{level:02x}")), "{}", rendition.codecs);
            let seconds: f64 = probed["format"]["duration"].as_str().unwrap().parse().unwrap();
            assert!((seconds - source_seconds).abs() <= frame_seconds, "{seconds} s of {source_seconds}");
            assert_eq!(self.keyframes(&rendition.playlist), keyframes, "{}", rendition.name);
            assert_eq!(self.pictures(&rendition.playlist)[0].0, 0.0);
            // Every picture decodes.
            ffmpeg(&["-v", "error", "-xerror", "-i", path.to_str().unwrap(), "-f", "null", "-"]);
        }
    }
}
