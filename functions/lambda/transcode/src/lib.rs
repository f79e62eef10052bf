//! A video file in, HLS out (RFC 8216): fragmented MP4 segments of about six seconds, H.264 High in a ladder of
//! renditions that are never larger than the source, AAC-LC stereo as one audio rendition where the source has
//! sound, a media playlist per rendition and one master playlist.
//!
//! | module | what it does |
//! | --- | --- |
//! | [`probe`](mod@probe) | reads what a file is, or says why it is no video that we take |
//! | [`plan`](mod@plan) | decides the ladder from that; pure |
//! | [`transcode`](mod@transcode) | decodes once and encodes every rendition of the plan into a folder |
//! | [`playlist`] | the text of playlists, and the bit rates that they state; pure |
//! | [`child`] | runs all of that in a re-executed child process under limits of time, memory and bytes |
//! | [`job`] | takes videos from storage and puts what they become there, as jobs |
//!
//! A video is uploaded by a person whom nobody vouches for, and FFmpeg is a large C library. So a function never
//! calls [`transcode()`] on an upload itself: its `main` begins with [`child::main_if_child`], and it calls
//! [`child::run`], where a hostile file costs a child process and an empty folder. Inside the child the file is
//! read through one open descriptor, only by the demuxers and decoders of a short list, with no protocol at all:
//! a playlist, or an MP4 that refers to another file, opens nothing.
//!
//! Keyframes are IDR frames at the first picture at or after every multiple of two seconds and nowhere else, in
//! every rendition, so that a player may switch at any segment. Timestamps are those of the source on a clock of
//! 90 kHz: a variable frame rate stays variable.
//!
//! What is not done: HDR is not mapped to SDR, interlaced pictures are not deinterlaced, subtitles are dropped.

pub mod child;
mod encode;
mod error;
mod filter;
mod folder;
pub mod job;
mod limits;
mod manifest;
pub mod plan;
pub mod playlist;
pub mod probe;
mod segment;
mod source;
pub mod transcode;

pub use error::TranscodeError;
pub use limits::Limits;
pub use manifest::{Manifest, ManifestFile, ManifestRendition};
pub use plan::{Plan, plan};
pub use probe::{Probe, probe};
pub use transcode::{Progress, transcode};
