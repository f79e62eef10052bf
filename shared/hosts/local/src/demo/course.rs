//! The demo's courses as archives: texts from the folder `demo` of this crate, film and images from FFmpeg.

use anyhow::{Context, ensure};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use std::{path::Path, process::Command};

/// A course of the project's own, before it is packed.
#[derive(Debug, Clone, Copy)]
pub struct DemoCourse {
    /// What `course.xml` names it.
    pub title: &'static str,
    pub summary: &'static str,
    olx: &'static str,
    /// Other files, by their path in the archive.
    files: &'static [(&'static str, &'static [u8])],
    /// The image's name in `static`, and its colours.
    image: (&'static str, &'static str),
    /// The film's name in `static`, when there is one; it has the image's colours.
    film: Option<&'static str>,
}

pub const LIGHT: DemoCourse = DemoCourse {
    title: "Işığın Yolculuğu",
    summary: "Güneşten gözümüze: ışık nedir, nasıl yol alır, renkler nereden gelir?",
    olx: include_str!("../../demo/umraniye/course.xml"),
    files: &[
        ("static/film.srt", include_bytes!("../../demo/umraniye/film.srt")),
        ("static/Ders notu.pdf", include_bytes!("../../demo/umraniye/Ders notu.pdf")),
    ],
    image: ("renkler.png", "n=7:c0=red:c1=orange:c2=yellow:c3=green:c4=blue:c5=indigo:c6=violet"),
    film: Some("film.mp4"),
};

pub const FERRY: DemoCourse = DemoCourse {
    title: "How a Ferry Crosses the Bosphorus",
    summary: "Currents, timetables and a little physics, seen from the upper deck.",
    olx: include_str!("../../demo/kadikoy/course.xml"),
    files: &[],
    image: ("current.png", "n=3:c0=navy:c1=steelblue:c2=turquoise"),
    film: None,
};

/// How long the film is, in seconds.
const FILM_SECONDS: u32 = 6;

impl DemoCourse {
    /// The course as Open edX Studio would export it: a `.tar.gz`.
    ///
    /// # Errors
    /// When FFmpeg is not there, or cannot make the film.
    pub fn archive(&self) -> anyhow::Result<Bytes> {
        let folder = tempfile::tempdir()?;
        let mut files = vec![("course.xml".to_owned(), self.olx.as_bytes().to_vec())];
        files.extend(self.files.iter().map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec())));
        let (image, colours) = self.image;
        files.push((format!("static/{image}"), picture(folder.path(), colours)?));
        if let Some(film) = self.film {
            files.push((format!("static/{film}"), moving(folder.path(), colours)?));
        }
        pack(&files)
    }
}

fn pack(files: &[(String, Vec<u8>)]) -> anyhow::Result<Bytes> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (path, bytes) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(u64::try_from(bytes.len())?);
        header.set_mode(0o644);
        archive.append_data(&mut header, path, bytes.as_slice())?;
    }
    Ok(archive.into_inner()?.finish()?.into())
}

/// A PNG of these colours.
fn picture(folder: &Path, colours: &str) -> anyhow::Result<Vec<u8>> {
    let source = format!("gradients=s=640x360:seed=7:{colours}");
    made(folder, "picture.png", &["-f", "lavfi", "-i", &source, "-frames:v", "1"])
}

/// An MP4 (H.264 and AAC) in which these colours move and a chord sounds.
fn moving(folder: &Path, colours: &str) -> anyhow::Result<Vec<u8>> {
    let picture = format!("gradients=s=854x480:r=25:d={FILM_SECONDS}:seed=7:speed=0.03:{colours}");
    let tone = |hertz: u32| format!("sine=frequency={hertz}:duration={FILM_SECONDS}");
    let [low, middle, high] = [tone(262), tone(330), tone(392)];
    let sound =
        format!("[1][2][3]amix=inputs=3,afade=t=in:d=1,afade=t=out:st={}:d=1[sound]", FILM_SECONDS - 1);
    let mut arguments = Vec::new();
    for source in [&picture, &low, &middle, &high] {
        arguments.extend(["-f", "lavfi", "-i", source.as_str()]);
    }
    arguments.extend(["-filter_complex", &sound, "-map", "0:v", "-map", "[sound]"]);
    arguments.extend(["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p"]);
    arguments.extend(["-c:a", "aac", "-ac", "2", "-movflags", "+faststart"]);
    made(folder, "film.mp4", &arguments)
}

/// The file that FFmpeg makes by these arguments.
fn made(folder: &Path, name: &str, arguments: &[&str]) -> anyhow::Result<Vec<u8>> {
    let path = folder.join(name);
    let output = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-y"])
        .args(arguments)
        .arg(&path)
        .output()
        .context("running ffmpeg, which makes the demo's film and images")?;
    ensure!(output.status.success(), "ffmpeg: {}", String::from_utf8_lossy(&output.stderr));
    Ok(std::fs::read(path)?)
}
