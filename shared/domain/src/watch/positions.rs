//! Where to resume: on this device, or where the learner was last on any.

use super::encoding::{InvalidEncoding, Reader, write_number};
use crate::{ids::SessionId, time::Timestamp};

/// The most devices that are remembered for a lesson; the one that was there longest ago makes way.
const MAX_DEVICES: usize = 8;

/// Where a device stood, in whole seconds of media time, and when, in whole seconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Position {
    device: SessionId,
    seconds: u32,
    at: u32,
}

/// Where each of a learner's last devices stands in one lesson. A device is a family of sign-ins, so a session.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Positions {
    /// The newest first, each device once.
    devices: Vec<Position>,
}

impl Positions {
    /// In whole seconds of media time; `None` for a device that was not here, or not lately.
    pub fn of(&self, device: SessionId) -> Option<u32> {
        self.devices.iter().find(|known| known.device == device).map(|known| known.seconds)
    }

    /// A device stood at `seconds` of media time at this moment. What is older than what is known of it changes nothing, so
    /// the order in which positions arrive makes no difference.
    pub fn moved(&mut self, device: SessionId, seconds: u32, at: Timestamp) {
        let at = u32::try_from(at.as_seconds().max(0)).unwrap_or(u32::MAX);
        let known = self.devices.iter().position(|known| known.device == device);
        if let Some(index) = known {
            if self.devices.get(index).is_some_and(|known| known.at > at) {
                return;
            }
            self.devices.remove(index);
        }
        let place = self.devices.partition_point(|known| known.at > at);
        self.devices.insert(place, Position { device, seconds, at });
        self.devices.truncate(MAX_DEVICES);
    }

    /// For one column of the lesson's row: some 24 bytes a device.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.devices.len() * 24);
        for known in &self.devices {
            out.extend_from_slice(known.device.as_uuid().as_bytes());
            write_number(&mut out, known.seconds);
            write_number(&mut out, known.at);
        }
        out
    }

    /// Reads what [`encode`](Self::encode) wrote. Total: any other bytes are an error.
    pub fn decode(bytes: &[u8]) -> Result<Self, InvalidEncoding> {
        let mut reader = Reader::new(bytes);
        let mut devices = Vec::new();
        while !reader.is_empty() {
            if devices.len() == MAX_DEVICES {
                return Err(InvalidEncoding::TrailingBytes);
            }
            let device = SessionId::from_uuid(uuid::Uuid::from_bytes(reader.array()?));
            devices.push(Position { device, seconds: reader.number()?, at: reader.number()? });
        }
        Ok(Self { devices })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const START: Timestamp = Timestamp::from_millis(1_790_000_000_000);

    fn device(number: u8) -> SessionId {
        SessionId::new(START, [number; 10])
    }

    fn after(moves: &[(u8, u32, i64)]) -> Positions {
        let mut positions = Positions::default();
        for (number, seconds, at) in moves {
            positions.moved(device(*number), *seconds, START.plus_seconds(*at));
        }
        positions
    }

    #[test]
    fn each_device_stands_where_it_was_last() {
        let positions = after(&[(1, 10, 0), (2, 500, 5), (1, 20, 10), (1, 15, 9)]);
        assert_eq!((positions.of(device(1)), positions.of(device(2))), (Some(20), Some(500)));
        assert_eq!(positions.of(device(3)), None);
    }

    #[test]
    fn the_device_of_longest_ago_makes_way() {
        let moves: Vec<_> = (0..9).map(|number| (number, u32::from(number), i64::from(number))).collect();
        let positions = after(&moves);
        assert_eq!((positions.of(device(0)), positions.of(device(1))), (None, Some(1)));
        println!("{MAX_DEVICES} devices: {} bytes", positions.encode().len());
        assert!(positions.encode().len() <= 25 * MAX_DEVICES);
    }

    proptest! {
        #[test]
        fn the_order_of_arrival_makes_no_difference(
            mut moves in prop::collection::vec((0..6_u8, 0..1000_u32), 0..20).prop_map(|moves| {
                let numbered = moves.into_iter().enumerate();
                numbered.map(|(at, (number, seconds))| (number, seconds, at as i64)).collect::<Vec<_>>()
            }),
            turn in 0..20_usize,
        ) {
            let in_order = after(&moves);
            let turn = turn % moves.len().max(1);
            moves.rotate_left(turn);
            prop_assert_eq!(after(&moves), in_order.clone());
            prop_assert_eq!(Positions::decode(&in_order.encode()), Ok(in_order));
        }

        #[test]
        fn any_bytes_are_positions_that_are_written_the_same_or_an_error(
            bytes in prop::collection::vec(any::<u8>(), 0..80),
        ) {
            if let Ok(positions) = Positions::decode(&bytes) {
                prop_assert_eq!(positions.encode(), bytes);
            }
        }
    }
}
