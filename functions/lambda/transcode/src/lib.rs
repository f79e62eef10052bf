//! A video file in, HLS out (RFC 8216): fragmented MP4 segments of about six seconds, H.264 High in a ladder of
//! renditions that are never larger than the source, AAC-LC stereo for each audio track of the
//! source, a poster, sheets of small pictures, a media playlist per rendition and one master playlist.
//!
//! | module | what it does |
//! | --- | --- |
//! | [`probe`](mod@probe) | reads what a video is, or says why it is none that we take |
//! | [`plan`](mod@plan) | decides the ladder from that; pure |
//! | [`parts`] | decides where a long video is cut; pure |
//! | [`transcode`](mod@transcode) | decodes once and encodes every rendition of the plan into a folder |
//! | [`made`] | what came of that, and of several parts |
//! | [`manifest`] | the playlists that name it |
//! | [`playlist`] | their text, and the bit rates that they state; pure |
//! | [`child`] | runs FFmpeg in a re-executed child process under limits of time, memory and bytes |
//! | [`job`] | takes videos from storage and puts what they become there, as jobs |
//!
//! A video is uploaded by a person whom nobody vouches for, and FFmpeg is a large C library. So a function never
//! calls [`transcode()`] on an upload itself: its `main` begins with [`child::main_if_child`], and it asks a
//! [`Child`](child::Child), where a hostile file costs a process and an empty folder. Inside the child the video is read
//! through one descriptor, only by the demuxers and decoders of a short list, with no protocol at all: a playlist, or an
//! MP4 that refers to another file, opens nothing. A video in storage is read in ranges: it needs no disk, whatever its size.
//!
//! Keyframes are IDR frames at the first picture at or after every multiple of two seconds and nowhere else, in
//! every rendition, so that a player may switch at any segment. Timestamps are those of the source on a clock of
//! 90 kHz: a variable frame rate stays variable. HDR (PQ and HLG) is mapped to BT.709.
//!
//! A long video is cut where segments end, at multiples of six seconds of the result. Whoever makes a part decodes from the
//! keyframe of the source before it, and encodes the pictures from its beginning to the end: each picture belongs to one
//! part, and the joined video has the segments, keyframes and timestamps of one that was made at once. Sound is not cut.
//!
//! All sound is brought to −16 LUFS by one gain for the whole track, which it is listened to for once before; a limiter
//! keeps peaks below full scale.
//!
//! What is not done: interlaced pictures are not deinterlaced, subtitles inside of videos are dropped.

pub mod child;
mod encode;
pub mod encryption;
mod error;
mod filter;
mod folder;
pub mod job;
mod jpeg;
mod limits;
pub mod made;
pub mod manifest;
mod origin;
pub mod parts;
pub mod plan;
pub mod playlist;
pub mod probe;
mod ranges;
mod segment;
mod source;
mod stills;
pub mod transcode;

pub use error::TranscodeError;
pub use limits::Limits;
pub use made::Made;
pub use manifest::{Manifest, ManifestFile, ManifestRendition, TextFile};
pub use origin::Origin;
pub use plan::{Plan, plan};
pub use probe::{Probe, probe};
pub use transcode::{Part, Progress, Task, transcode};
