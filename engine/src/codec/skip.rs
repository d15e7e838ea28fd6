//! Passing over a value without making one.

use super::array::type_of_code;
use super::code::{self, Width};
use super::error::DecodeError;
use super::prim::{read_bool, read_char};
use super::reader::Reader;
use super::text::{check_symbol, check_utf8};

/// Passes over one value and checks all of it: constructors, sizes, counts, depth, text. What passes, decodes (but for a key
/// that a map holds twice). Allocates nothing and takes time linear in the octets.
///
/// # Errors
/// The octets are not a value.
pub fn skip(r: &mut Reader<'_>) -> Result<(), DecodeError> {
    let constructor = r.u8()?;
    skip_as(constructor, r)
}

/// Passes over one value by its size alone, without a look inside. For values that were checked before, or will be.
///
/// # Errors
/// The value does not end within the buffer, or has an unknown constructor.
pub fn jump(r: &mut Reader<'_>) -> Result<(), DecodeError> {
    // A described value is a descriptor and a value, each of which may again be described.
    let mut pending = 1usize;
    while let Some(left) = pending.checked_sub(1) {
        pending = left;
        let constructor = r.u8()?;
        let size = match code::width(constructor) {
            Some(Width::Fixed(size)) => size.into(),
            Some(Width::Sized8) => r.size_within(false, u32::MAX)?,
            Some(Width::Sized32) => r.size_within(true, u32::MAX)?,
            None if constructor == code::DESCRIBED => {
                pending = pending.saturating_add(2);
                continue;
            }
            None => return Err(r.unknown_code(constructor)),
        };
        r.slice(size)?;
    }
    Ok(())
}

/// Octets of the value that these begin with, by its size alone, as [`jump`] does. `None`: it does not end within them.
#[inline]
pub(crate) fn length(octets: &[u8]) -> Option<usize> {
    let mut at = 0usize;
    let mut pending = 1usize;
    while let Some(left) = pending.checked_sub(1) {
        pending = left;
        let (&constructor, rest) = octets.get(at..)?.split_first()?;
        let (header, size) = match code::width(constructor) {
            Some(Width::Fixed(size)) => (1, size.into()),
            Some(Width::Sized8) => (2, usize::from(*rest.first()?)),
            Some(Width::Sized32) => (5, u32::from_be_bytes(*rest.first_chunk()?) as usize),
            None if constructor == code::DESCRIBED => {
                pending = pending.saturating_add(2);
                (1, 0)
            }
            None => return None,
        };
        at = at.saturating_add(header).saturating_add(size);
    }
    (at <= octets.len()).then_some(at)
}

/// Passes over the value whose constructor has just been read, and checks it.
pub(super) fn skip_as(constructor: u8, r: &mut Reader<'_>) -> Result<(), DecodeError> {
    match constructor {
        code::DESCRIBED => {
            r.descend()?;
            skip(r)?;
            skip(r)?;
            r.ascend();
        }
        code::LIST0 | code::LIST8 | code::LIST32 => {
            let list = r.open_list(constructor)?;
            for _ in 0..list.count {
                skip(r)?;
            }
            r.close(list)?;
        }
        code::MAP8 | code::MAP32 => {
            let map = r.open_map(constructor)?;
            for _ in 0..map.count {
                skip(r)?;
            }
            r.close(map)?;
        }
        code::ARRAY8 | code::ARRAY32 => skip_array(constructor, r)?,
        code::STRING8 | code::STRING32 => {
            let size = r.size(constructor == code::STRING32)?;
            let start = r.position();
            check_utf8(start, r.slice(size)?)?;
        }
        code::SYMBOL8 | code::SYMBOL32 => {
            let size = r.size(constructor == code::SYMBOL32)?;
            let start = r.position();
            check_symbol(start, r.slice(size)?)?;
        }
        code::BINARY8 | code::BINARY32 => {
            let size = r.size(constructor == code::BINARY32)?;
            r.slice(size)?;
        }
        code::BOOL => {
            read_bool(r)?;
        }
        code::CHAR => {
            read_char(r)?;
        }
        other => match code::width(other) {
            Some(Width::Fixed(size)) => {
                r.slice(size.into())?;
            }
            _ => return Err(r.unknown_code(other)),
        },
    }
    Ok(())
}

fn skip_array(constructor: u8, r: &mut Reader<'_>) -> Result<(), DecodeError> {
    let array = r.open_array(constructor)?;
    let mut descriptors = 0u32;
    let mut inner = r.u8()?;
    while inner == code::DESCRIBED {
        r.descend()?;
        descriptors = descriptors.saturating_add(1);
        skip(r)?;
        inner = r.u8()?;
    }
    if type_of_code(inner).is_none() {
        return Err(r.unknown_code(inner));
    }
    r.check_elements(inner, array.count)?;
    match code::width(inner) {
        // The sizes agree, and any octets will do.
        Some(Width::Fixed(_)) if inner != code::BOOL && inner != code::CHAR => {
            r.slice(r.remaining())?;
        }
        _ => {
            for _ in 0..array.count {
                skip_as(inner, r)?;
            }
        }
    }
    for _ in 0..descriptors {
        r.ascend();
    }
    r.close(array)
}
