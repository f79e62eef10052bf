//! Where a video is cut, so that several workers share it. Pure.

use crate::{Part, child::Survey, playlist::TARGET_SECONDS};

/// Length of a part of 1080p at 30 pictures a second, in milliseconds: what one worker does in some minutes.
pub const PART_MS: u64 = 5 * 60 * 1000;

/// Pictures of that a second, in pixels.
const USUAL_PIXELS: u64 = 1920 * 1080 * 30;

const SEGMENT_MS: u64 = TARGET_SECONDS as u64 * 1000;

/// The whole video, or its parts: pictures, cut where segments end (so where all renditions have a keyframe), and the sound.
/// `part_ms` is the length of a part of 1080p; larger pictures make shorter parts, but not shorter than a sixteenth (2160p at
/// 120 pictures a second). A video of one and a half parts, or one that does not say how long it is, stays whole.
pub fn cut(survey: &Survey, part_ms: u64) -> Vec<Part> {
    let (rate, per) = survey.plan.frame_rate;
    let pixels = survey.plan.renditions.first().map_or(0, |largest| {
        u64::from(largest.width) * u64::from(largest.height) * u64::from(rate) / u64::from(per.max(1))
    });
    let weighted =
        (part_ms.saturating_mul(USUAL_PIXELS) / pixels.max(1)).clamp(part_ms / 16, part_ms.saturating_mul(2));
    let length = (weighted / SEGMENT_MS).max(1) * SEGMENT_MS;
    let end_ms = survey.end_ms.unwrap_or(0);
    let count = (end_ms + length / 2) / length;
    if count < 2 {
        return vec![Part::Whole];
    }
    let from = |number: u64| number * length;
    let pictures = (0..count).map(|number| {
        let is_last = number + 1 == count;
        Part::Pictures { from_ms: from(number), until_ms: (!is_last).then(|| from(number + 1)) }
    });
    pictures.chain((!survey.plan.audio.is_empty()).then_some(Part::Sound)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{AudioRendition, Plan, Rendition, Stills};
    use proptest::prelude::*;

    fn survey(width: u32, height: u32, end_ms: Option<u64>) -> Survey {
        let audio =
            vec![AudioRendition { folder: "audio".to_owned(), name: "Audio".to_owned(), language: None }];
        let renditions = vec![Rendition { name: "p".to_owned(), width, height, max_bit_rate: 1 }];
        let stills = Stills { poster_at_ms: 0, interval_ms: 1, width: 2, height: 2 };
        Survey { plan: Plan { renditions, audio, frame_rate: (30, 1), stills }, end_ms }
    }

    #[test]
    fn an_hour_is_cut_into_parts_and_a_short_film_is_not() {
        let cuts = |width, height, end_ms| cut(&survey(width, height, end_ms), PART_MS);
        assert_eq!(cuts(1920, 1080, None), [Part::Whole]);
        assert_eq!(cuts(1920, 1080, Some(449_000)), [Part::Whole]);
        assert_eq!(
            cuts(1920, 1080, Some(451_000)),
            [
                Part::Pictures { from_ms: 0, until_ms: Some(300_000) },
                Part::Pictures { from_ms: 300_000, until_ms: None },
                Part::Sound
            ]
        );
        assert_eq!(cuts(1920, 1080, Some(3_600_000)).len(), 13);
        assert_eq!(cuts(3840, 2160, Some(3_600_000)).len(), 51);
        assert_eq!(cuts(640, 360, Some(3_600_000)).len(), 7);
    }

    #[test]
    fn a_frame_rate_that_no_camera_has_makes_no_crowd_of_parts() {
        let mut survey = survey(3840, 2160, Some(4 * 3_600_000));
        survey.plan.frame_rate = (u32::MAX, 1);
        assert_eq!(cut(&survey, PART_MS).len(), 801);
    }

    proptest! {
        #[test]
        fn parts_follow_each_other_without_a_gap(end_ms in 0..20_000_000_u64, side in 16_u32..4096, part_ms in 0..900_000_u64) {
            let parts = cut(&survey(side, side, Some(end_ms)), part_ms);
            if parts != [Part::Whole] {
                let mut end = Some(0);
                for part in &parts[..parts.len() - 1] {
                    let (from_ms, until_ms) = part.span();
                    prop_assert_eq!(Some(from_ms), end);
                    prop_assert_eq!(from_ms % SEGMENT_MS, 0);
                    prop_assert!(from_ms < end_ms && until_ms.is_none_or(|until| until > from_ms && until < end_ms));
                    end = until_ms;
                }
                prop_assert_eq!(end, None);
            }
        }
    }
}
