//! Points in an encoded message as `received` names them (3.4.1): section, and octets into it.
//!
//! Sections are found by their structure. Octets inside one that look like the beginning of another are none.

use bytes::Bytes;

use super::sections::end_of_section;
use crate::protocol::Received;

/// The format whose payload has sections (3.2).
const MESSAGE: u32 = 0;

/// The point behind the last of these octets, which are the beginning of a payload.
pub(crate) fn end_point(octets: &Bytes, format: u32) -> Received {
    let (mut number, mut at) = (0u32, 0);
    while let Some(end) = section_end(octets, at, format) {
        at = end;
        number = number.saturating_add(1);
    }
    Received::new(number, octets.len().saturating_sub(at) as u64)
}

/// Which octet of a payload stands at this point; `None` if the payload ends, or the section does, before it.
pub(crate) fn octet_at(octets: &Bytes, format: u32, point: &Received) -> Option<usize> {
    let mut at = 0;
    for _ in 0..point.section_number {
        at = section_end(octets, at, format)?;
    }
    let end = section_end(octets, at, format).unwrap_or(octets.len());
    let octet = at.checked_add(usize::try_from(point.section_offset).ok()?)?;
    (octet <= end).then_some(octet)
}

/// Where the section at `at` ends, if it does within these octets. What is no message has one section, without end.
fn section_end(octets: &Bytes, at: usize, format: u32) -> Option<usize> {
    if format != MESSAGE || at >= octets.len() {
        return None;
    }
    end_of_section(octets, at)
}

#[cfg(test)]
mod tests {
    use super::{end_point, octet_at};
    use crate::protocol::Received;
    use bytes::Bytes;

    /// A header of 5 octets, and data of 9 that look like the beginning of a section themselves.
    const MESSAGE: &[u8] = &[
        0, 0x53, 0x70, 0xc0, 1, 0, 0, 0x53, 0x75, 0xa0, 4, 0, 0x53, 0x75, 0xa0,
    ];

    #[test]
    fn every_prefix_of_a_message_ends_where_its_point_says() {
        for len in 0..=MESSAGE.len() {
            let prefix = Bytes::copy_from_slice(&MESSAGE[..len]);
            let point = end_point(&prefix, 0);
            let whole = Bytes::from_static(MESSAGE);
            assert_eq!(octet_at(&whole, 0, &point), Some(len), "{point}");
        }
    }

    #[test]
    fn what_looks_like_a_section_inside_data_is_none() {
        let whole = Bytes::from_static(MESSAGE);
        assert_eq!(end_point(&whole.slice(..13), 0), Received::new(1, 7));
        assert_eq!(end_point(&whole, 0), Received::new(2, 0));
        // The end of a section and the beginning of the next are one point.
        assert_eq!(octet_at(&whole, 0, &Received::new(0, 6)), Some(6));
        assert_eq!(octet_at(&whole, 0, &Received::new(1, 0)), Some(6));
    }

    #[test]
    fn points_beyond_are_none() {
        let whole = Bytes::from_static(MESSAGE);
        for (section, offset) in [
            (0, 7),
            (1, 10),
            (2, 1),
            (3, 0),
            (u32::MAX, 0),
            (0, u64::MAX),
        ] {
            assert_eq!(octet_at(&whole, 0, &Received::new(section, offset)), None);
        }
    }

    #[test]
    fn a_payload_of_another_format_is_one_section() {
        let whole = Bytes::from_static(MESSAGE);
        assert_eq!(end_point(&whole, 7), Received::new(0, 15));
        assert_eq!(octet_at(&whole, 7, &Received::new(0, 9)), Some(9));
        assert_eq!(octet_at(&whole, 7, &Received::new(1, 0)), None);
    }
}
