//! Decoding what may be damaged.

use ffmpeg_next::{Error, Packet, decoder};

use crate::{Limits, TranscodeError};

/// Damaged packets that are skipped before the file is given up.
const DAMAGE_TOLERATED: u32 = 1000;

/// A decoder that skips what is damaged, and counts it.
pub struct TolerantDecoder {
    decoder: decoder::Opened,
    packets: u32,
    damaged: u32,
}

impl TolerantDecoder {
    pub fn new(decoder: decoder::Opened) -> Self {
        Self { decoder, packets: 0, damaged: 0 }
    }

    /// Takes the next packet, or none at the end.
    pub fn send(&mut self, packet: Option<&Packet>, limits: &Limits) -> Result<(), TranscodeError> {
        let sent = match packet {
            Some(packet) => {
                self.packets = self.packets.saturating_add(1);
                self.decoder.send_packet(packet)
            }
            None => self.decoder.send_eof(),
        };
        sent.or_else(|error| self.forgive(error, limits))
    }

    /// The next decoded frame, if there is one before the next packet.
    pub fn receive(
        &mut self,
        frame: &mut ffmpeg_next::Frame,
        limits: &Limits,
    ) -> Result<bool, TranscodeError> {
        loop {
            match self.decoder.receive_frame(frame) {
                Ok(()) => return Ok(true),
                Err(Error::Eof | Error::Other { errno: ffmpeg_next::error::EAGAIN }) => return Ok(false),
                Err(error) => self.forgive(error, limits)?,
            }
        }
    }

    fn forgive(&mut self, error: Error, limits: &Limits) -> Result<(), TranscodeError> {
        if matches!(error, Error::Other { errno: ffmpeg_next::error::ENOMEM }) {
            return Err(TranscodeError::encoding("decode", error, limits));
        }
        self.damaged += 1;
        if self.damaged > DAMAGE_TOLERATED { Err(TranscodeError::Damaged) } else { Ok(()) }
    }

    /// Whether more than a tenth of the packets were damaged.
    pub fn is_mostly_damaged(&self) -> bool {
        self.damaged > self.packets / 10
    }
}
