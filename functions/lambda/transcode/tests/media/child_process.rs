//! The child process is held to its limits, and its end is always accounted for.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use akademi_transcode::{
    Limits, Made, ManifestFile, Origin, Part, Probe, Progress, Task, TranscodeError,
    child::{Child, Survey, Video},
    made::{Segment, Track},
    plan, probe,
    probe::AudioTrack,
};
use serde_json::json;
use tempfile::TempDir;

use crate::oracle::{child, ffmpeg, is_empty, real_file, run, transcode};

/// A folder with a minute of video in it, which takes many seconds to transcode.
fn long_film() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("long.mp4");
    let film = real_file("bigbuckbunny.mp4");
    ffmpeg(&["-stream_loop", "11", "-i", film.to_str().unwrap(), "-c", "copy", file.to_str().unwrap()]);
    (folder, file)
}

/// A program that takes the child's place.
fn script(folder: &Path, body: &str) -> PathBuf {
    let path = folder.join("script.sh");
    fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// A child that this script takes the place of.
fn scripted(folder: &Path, body: &str, limits: Limits) -> Child {
    Child { program: Some(script(folder, body)), video: Video::File(real_file("bikes.mp4")), limits }
}

async fn task() -> Task {
    let survey = child(&real_file("bikes.mp4"), &Limits::default()).survey().await.unwrap();
    Task { plan: survey.plan, part: Part::Whole, key: None }
}

fn is_running(pid: &str) -> bool {
    Path::new("/proc").join(pid).exists()
}

#[tokio::test]
async fn a_time_out_kills_the_child_and_leaves_nothing() {
    let (folder, film) = long_film();
    let output = folder.path().join("output");
    let limits = Limits { wall_ms: 3000, ..Limits::default() };
    let mut reports = 0;
    let error = run(&child(&film, &limits), &output, |_| reports += 1).await.unwrap_err();
    assert_eq!(error, TranscodeError::TimedOut { limit_ms: 3000 });
    assert!(!error.is_fault_of_source());
    assert!(reports > 0, "it was at work when it was killed");
    assert!(is_empty(&output));
}

#[tokio::test]
async fn a_child_that_hangs_is_gone_after_the_time_out_with_what_it_wrote() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("output");
    let pid = folder.path().join("pid");
    let body = format!("echo $$ > {}; echo x > {}/junk; exec sleep 60", pid.display(), output.display());
    let child = scripted(folder.path(), &body, Limits { wall_ms: 700, ..Limits::default() });
    let error = child.make(&task().await, &output, |_| ()).await.unwrap_err();
    assert_eq!(error, TranscodeError::TimedOut { limit_ms: 700 });
    assert!(!is_running(fs::read_to_string(&pid).unwrap().trim()));
    assert!(is_empty(&output));
}

#[tokio::test]
async fn dropping_the_future_kills_the_child_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("output");
    let pid = folder.path().join("pid");
    let body = format!("echo x > {}/junk; echo $$ > {}; exec sleep 60", output.display(), pid.display());
    let child = scripted(folder.path(), &body, Limits::default());
    let task = task().await;
    let has_begun = async {
        while fs::read_to_string(&pid).unwrap_or_default().trim().is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        made = child.make(&task, &output, |_| ()) => panic!("it ends: {made:?}"),
        () = has_begun => {}
    }
    assert!(!is_running(fs::read_to_string(&pid).unwrap().trim()));
    assert!(is_empty(&output));
}

#[tokio::test]
async fn a_child_whose_parent_is_gone_ends() {
    let (folder, film) = long_film();
    let task = task().await;
    let order = serde_json::json!({
        "video": { "file": film }, "limits": Limits::default(),
        "work": { "make": { "task": task, "output": folder.path().join("output") } },
    });
    let mut child = Command::new(env!("CARGO_BIN_EXE_transcode-child"))
        .arg("--transcode-child")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    writeln!(stdin, "{order}").unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut first).unwrap();
    assert!(first.contains("progress"), "{first}");
    // What the kernel does to a dead parent's pipes.
    drop(stdin);
    assert_eq!(child.wait().unwrap().code(), Some(3));
}

#[tokio::test]
async fn a_child_that_crashes_is_told_from_one_that_fails() {
    for (body, how) in [("kill -SEGV $$", "signal 11"), ("echo oops >&2; exit 7", "exit status: 7")] {
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("output");
        let body = format!("echo x > {}/junk; {body}", output.display());
        let child = scripted(folder.path(), &body, Limits::default());
        match child.make(&task().await, &output, |_| ()).await.unwrap_err() {
            TranscodeError::Crashed { how: told, log } => {
                assert_eq!(told, how);
                assert_eq!(log.contains("oops"), body.contains("oops"));
            }
            error => panic!("{error:?}"),
        }
        assert!(is_empty(&output));
    }
}

#[tokio::test]
async fn a_child_that_lies_about_its_files_is_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("output");
    let secret = folder.path().join("secret");
    fs::write(&secret, "secret").unwrap();
    for path in ["../secret", "link", "absent"] {
        let done = format!(
            r#"{{"made":{{"duration_ms":1,"pictures":[],"sound":[],"poster":null,"thumbnails":[],"files":[{{"path":"{path}","content_type":"video/mp4","bytes":6}}]}}}}"#
        );
        let body = format!("ln -s {} {}/link; echo '{done}'", secret.display(), output.display());
        let child = scripted(folder.path(), &body, Limits::default());
        let error = child.make(&task().await, &output, |_| ()).await.unwrap_err();
        assert!(matches!(error, TranscodeError::Crashed { .. }), "{path}: {error:?}");
        assert!(is_empty(&output));
    }
    assert_eq!(fs::read_to_string(&secret).unwrap(), "secret");
    // Nor may playlists lead elsewhere.
    let elsewhere = r#"{"made":{"duration_ms":1,"pictures":[],"sound":[],"poster":"https://elsewhere.test/","thumbnails":[],"files":[]}}"#;
    let child = scripted(folder.path(), &format!("echo '{elsewhere}'"), Limits::default());
    let error = child.make(&task().await, &output, |_| ()).await.unwrap_err();
    assert!(matches!(error, TranscodeError::Crashed { .. }), "{error:?}");
}

/// What is made of a video that shows this probe.
async fn surveyed(probe: &Probe, end_ms: Option<u64>) -> Result<Survey, TranscodeError> {
    let folder = tempfile::tempdir().unwrap();
    let report = json!({ "surveyed": { "probe": probe, "end_ms": end_ms } });
    let child = scripted(folder.path(), &format!("printf '%s\\n' '{report}'"), Limits::default());
    child.survey().await
}

#[tokio::test]
async fn a_survey_is_believed_within_the_limits_and_the_plan_is_the_parents() {
    let limits = Limits::default();
    let honest = probe(&Origin::File(real_file("bikes.mp4")), &limits).unwrap();
    let expected = Survey { plan: plan(&honest), end_ms: Some(10_000) };
    assert_eq!(surveyed(&honest, Some(10_000)).await.unwrap(), expected);

    let too_long = TranscodeError::TooLong { limit_ms: limits.duration_ms };
    assert_eq!(surveyed(&honest, Some(u64::MAX)).await.unwrap_err(), too_long);
    let endless = Probe { duration_ms: Some(limits.duration_ms + 1), ..honest.clone() };
    assert_eq!(surveyed(&endless, None).await.unwrap_err(), too_long);

    let track = |title: &str, language: &str| AudioTrack {
        codec: "aac".to_owned(),
        sample_rate: 48_000,
        channels: 2,
        language: Some(language.to_owned()),
        title: Some(title.to_owned()),
    };
    let line = "\"\n#EXT-X-KEY:METHOD=NONE\n";
    let shouting = Probe { audio: vec![track(&line.repeat(1000), line)], ..honest.clone() };
    let survey = surveyed(&shouting, None).await.unwrap();
    let audio = &survey.plan.audio[0];
    assert!(!audio.name.contains(['"', '\n']) && audio.name.len() <= 60, "{}", audio.name);
    assert_eq!((audio.folder.as_str(), audio.language.as_deref()), ("audio", None));

    let crowd = Probe { audio: vec![track("Türkçe", "tur"); 9], ..honest };
    let error = surveyed(&crowd, None).await.unwrap_err();
    assert!(matches!(error, TranscodeError::Crashed { .. }), "{error:?}");
}

/// What a child says that did as the task has it, with one file of one byte for everything.
fn made_of(task: &Task) -> Made {
    let path = || "init.mp4".to_owned();
    let track = |folder: &str| Track {
        folder: folder.to_owned(),
        initialisation: path(),
        codec: "avc1.64001f".to_owned(),
        segments: vec![Segment { path: path(), duration_us: 10_000_000, bytes: 1, iv: None }],
    };
    Made {
        duration_ms: 10_000,
        pictures: task.plan.renditions.iter().map(|rendition| track(&rendition.name)).collect(),
        files: vec![ManifestFile { path: path(), content_type: "video/mp4".to_owned(), bytes: 1 }],
        ..Made::default()
    }
}

/// What comes of a child that says this.
async fn claimed(made: &Made, task: &Task) -> Result<Made, TranscodeError> {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("output");
    let report = json!({ "made": made });
    let body = format!("printf x > {}/init.mp4; printf '%s\\n' '{report}'", output.display());
    scripted(folder.path(), &body, Limits::default()).make(task, &output, |_| ()).await
}

#[tokio::test]
async fn a_child_that_puts_lines_of_its_own_into_playlists_is_not_believed() {
    let mut task = task().await;
    let honest = made_of(&task);
    assert!(honest.pictures.len() >= 2);
    assert_eq!(claimed(&honest, &task).await.unwrap(), honest);
    let lies: [fn(&mut Made); 10] = [
        |made| made.pictures[0].codec.push_str("\"\n#EXT-X-KEY:METHOD=NONE"),
        |made| made.pictures[0].codec.clear(),
        |made| made.pictures[0].folder.push_str("\n#EXT-X-ENDLIST"),
        |made| made.pictures.reverse(),
        |made| made.pictures.truncate(1),
        |made| made.sound = made.pictures.clone(),
        |made| made.files[0].content_type = "text/html".to_owned(),
        |made| made.duration_ms = u64::MAX,
        |made| made.pictures[0].segments[0].duration_us = u64::MAX,
        |made| made.pictures[0].segments[0].bytes = 2,
    ];
    for (number, lie) in lies.iter().enumerate() {
        let mut made = honest.clone();
        lie(&mut made);
        let error = claimed(&made, &task).await.unwrap_err();
        assert!(matches!(error, TranscodeError::Crashed { .. }), "{number}: {error:?}");
    }
    // Nor does who was asked for sound answer with pictures.
    task.part = Part::Sound;
    let error = claimed(&honest, &task).await.unwrap_err();
    assert!(matches!(error, TranscodeError::Crashed { .. }), "{error:?}");
}

#[tokio::test]
async fn processor_time_and_output_are_bounded() {
    let (folder, film) = long_film();
    let output = folder.path().join("output");
    for (limits, expected) in [
        (
            Limits { output_bytes: 1_000_000, ..Limits::default() },
            TranscodeError::OutputTooLarge { limit_bytes: 1_000_000 },
        ),
        (Limits { cpu_seconds: 1, ..Limits::default() }, TranscodeError::CpuExhausted { limit_seconds: 1 }),
    ] {
        let error = run(&child(&film, &limits), &output, |_| ()).await.unwrap_err();
        assert_eq!(error, expected);
        assert!(is_empty(&output));
    }
}

/// Memory runs out in a Rust allocation, a decoder, a scaler, a thread or an encoder, by how little there is.
#[tokio::test]
async fn memory_is_bounded_and_blamed_wherever_it_runs_out() {
    let (folder, film) = long_film();
    let output = folder.path().join("output");
    for megabytes in [100, 250, 300, 330, 360, 400, 500] {
        let limit_bytes = megabytes << 20;
        let limits = Limits { memory_bytes: limit_bytes, ..Limits::default() };
        let error = run(&child(&film, &limits), &output, |_| ()).await.unwrap_err();
        assert_eq!(error, TranscodeError::OutOfMemory { limit_bytes }, "{megabytes} MB");
        assert!(is_empty(&output));
    }
}

#[tokio::test]
async fn progress_rises_to_the_whole_length() {
    let output = tempfile::tempdir().unwrap();
    let mut reports: Vec<Progress> = Vec::new();
    let child = child(&real_file("bikes.mp4"), &Limits::default());
    run(&child, output.path(), |progress| reports.push(progress)).await.unwrap();
    assert!(reports.len() >= 10, "{reports:?}");
    assert!(reports.windows(2).all(|pair| pair[0].done_ms < pair[1].done_ms), "{reports:?}");
    assert_eq!(reports.last(), Some(&Progress { done_ms: 10_000, total_ms: Some(10_000) }));
}

#[tokio::test]
async fn a_folder_that_holds_something_is_not_touched() {
    let output = tempfile::tempdir().unwrap();
    fs::write(output.path().join("mine"), "mine").unwrap();
    let error = transcode(&real_file("bikes.mp4"), output.path()).await.unwrap_err();
    assert!(matches!(error, TranscodeError::Storage { .. }));
    assert_eq!(fs::read_to_string(output.path().join("mine")).unwrap(), "mine");
}
