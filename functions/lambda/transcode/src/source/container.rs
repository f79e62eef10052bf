//! What the bytes of a file say before a demuxer reads them.

use std::io::{Read, SeekFrom};

use crate::origin::ReadSeek;

/// Whether the first bytes are those of an MP4 (a box `ftyp`), Matroska (EBML) or AVI (RIFF) file, so that a failure to
/// open it means damage.
pub fn begins_like_a_video(file: &mut impl ReadSeek) -> std::io::Result<bool> {
    let mut head = Vec::with_capacity(12);
    file.by_ref().take(12).read_to_end(&mut head)?;
    file.rewind()?;
    let at = |offset: usize, magic: &[u8]| head.get(offset..).is_some_and(|rest| rest.starts_with(magic));
    Ok(at(4, b"ftyp") || at(0, &[0x1a, 0x45, 0xdf, 0xa3]) || (at(0, b"RIFF") && at(8, b"AVI ")))
}

/// Whether the file ends within a box of an MP4 or MOV file: an upload that broke off. A box begins with its length in
/// 32 bits and its type; length 1 means that 64 bits of length follow, and 0 that the box lasts to the end of the file
/// (ISO 14496-12 §4.2). What begins with no box that is known there is not judged.
pub fn is_cut_off(file: &mut impl ReadSeek, bytes: u64) -> std::io::Result<bool> {
    const KNOWN: [&[u8; 4]; 10] =
        [b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"moof", b"styp", b"sidx", b"mfra"];
    let mut offset = 0_u64;
    let is_cut_off = loop {
        let mut header = [0; 16];
        file.seek(SeekFrom::Start(offset))?;
        let length = read_up_to(file, &mut header)?;
        let [a, b, c, d, kind @ .., _, _, _, _, _, _, _, _] = header;
        if length < 8 || !KNOWN.contains(&&kind) {
            break false;
        }
        let size = match u32::from_be_bytes([a, b, c, d]) {
            0 => break false,
            1 => u64::from_be_bytes(header.last_chunk().copied().unwrap_or_default()),
            size => u64::from(size),
        };
        // A size less than its own header would stand still.
        offset = offset.saturating_add(size.max(8));
        if offset > bytes {
            break true;
        }
    };
    file.rewind()?;
    Ok(is_cut_off)
}

/// Fills the buffer as far as the file goes; how far.
fn read_up_to(file: &mut impl ReadSeek, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut content = Vec::with_capacity(buffer.len());
    let length = file.by_ref().take(u64::try_from(buffer.len()).unwrap_or(0)).read_to_end(&mut content)?;
    buffer.iter_mut().zip(content).for_each(|(to, from)| *to = from);
    Ok(length)
}
