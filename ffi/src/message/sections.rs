//! The body of a message, and the sections that are maps.

use core::ffi::c_char;

use bytes::Bytes;
use ferrion_engine::codec::{Map, Value};
use ferrion_engine::message::{Body, Message};

use super::ferrion_message_t;
use crate::status::{Failure, ferrion_status as Status, ferrion_status};
use crate::types::ferrion_bytes_t;
use crate::value::{Tape, ferrion_value_t};

/// The sections that are maps.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ferrion_section {
    /// For the next node only; keys are symbols (3.2.2).
    FERRION_SECTION_DELIVERY_ANNOTATIONS = 1,
    /// For every node on the way; keys are symbols (3.2.3).
    FERRION_SECTION_MESSAGE_ANNOTATIONS = 2,
    /// The application's own; keys are strings (3.2.5).
    FERRION_SECTION_APPLICATION_PROPERTIES = 3,
    /// What can only be computed after the body; keys are symbols (3.2.9).
    FERRION_SECTION_FOOTER = 4,
}

/// What a body is made of.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ferrion_body {
    /// Octets, in one section or more (3.2.6).
    FERRION_BODY_DATA = 1,
    /// A list, or several (3.2.7).
    FERRION_BODY_SEQUENCE = 2,
    /// One value of any type (3.2.8).
    FERRION_BODY_VALUE = 3,
}

/// The body. FERRION_BODY_VALUE: one value. FERRION_BODY_DATA: a binary for each section. FERRION_BODY_SEQUENCE: a list for
/// each section.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_message_body(
    message: *const ferrion_message_t,
    out_kind: *mut ferrion_body,
    out_value: *mut ferrion_value_t,
) -> ferrion_status {
    ffi_fn! { object message, out out_kind, object out_value => {
        match message.message.body()? {
            Body::Data(sections) => {
                out_value.fill(sections.iter().cloned().map(Value::Binary));
                out_kind.set(ferrion_body::FERRION_BODY_DATA);
            }
            Body::Sequence(lists) => {
                out_value.fill(lists.iter().cloned().map(Value::List));
                out_kind.set(ferrion_body::FERRION_BODY_SEQUENCE);
            }
            Body::Value(value) => {
                out_value.fill_from(value);
                out_kind.set(ferrion_body::FERRION_BODY_VALUE);
            }
        }
        Ok(())
    } }
}

/// Sets the body. `kind` is a `ferrion_body`, and the values are as `ferrion_message_body` gives them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_message_set_body(
    message: *mut ferrion_message_t,
    kind: i32,
    value: *const ferrion_value_t,
) -> ferrion_status {
    ffi_fn! { object message, object value => {
        let body = if kind == ferrion_body::FERRION_BODY_VALUE as i32 {
            Body::Value(value.single()?)
        } else if kind == ferrion_body::FERRION_BODY_DATA as i32 {
            Body::Data(each(&value, "a data body is made of binaries", |value| match value {
                Value::Binary(octets) => Some(octets),
                _ => None,
            })?)
        } else if kind == ferrion_body::FERRION_BODY_SEQUENCE as i32 {
            Body::Sequence(each(&value, "a sequence body is made of lists", |value| match value {
                Value::List(list) => Some(list),
                _ => None,
            })?)
        } else {
            return Err(Failure::invalid(format!("{kind} is not a ferrion_body")));
        };
        message.message.set_body(body);
        Ok(())
    } }
}

/// Makes the body one string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_message_set_body_text(
    message: *mut ferrion_message_t,
    text: *const c_char,
) -> ferrion_status {
    ffi_fn! { object message, text text => {
        message.message.set_body(text);
        Ok(())
    } }
}

/// Makes the body one data section of these octets.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_message_set_body_data(
    message: *mut ferrion_message_t,
    data: *const u8,
    len: usize,
) -> ferrion_status {
    ffi_fn! { object message, bytes data len => {
        set_body_octets(&mut message.message, Bytes::copy_from_slice(data));
        Ok(())
    } }
}

/// The octets of a body that is a string, a binary or data (several sections are joined). FERRION_WRONG_TYPE: it is
/// something else.
///
/// Borrowed until: the next call on this message.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_message_body_bytes(
    message: *mut ferrion_message_t,
    out_data: *mut ferrion_bytes_t,
) -> ferrion_status {
    ffi_fn! { object message, out out_data => {
        if let Some(octets) = message.message.body_octets()? {
            out_data.set(octets.into());
            return Ok(());
        }
        if let Some(text) = message.message.body_text()? {
            out_data.set(text.into());
            return Ok(());
        }
        let Body::Data(sections) = message.message.body()? else {
            return Err(Failure::new(
                Status::FERRION_WRONG_TYPE,
                "the body is neither text nor octets: ask ferrion_message_body for its values",
            ));
        };
        let joined = sections.concat();
        out_data.set(message.lend(joined));
        Ok(())
    } }
}

/// A section that is a map. `section` is a `ferrion_section`. FERRION_ABSENT: the message does not have it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_message_section(
    message: *const ferrion_message_t,
    section: i32,
    out_value: *mut ferrion_value_t,
) -> ferrion_status {
    ffi_fn! { object message, object out_value => {
        let map = get(&message.message, section_from(section)?)?.ok_or_else(Failure::absent)?;
        out_value.fill_from_map(map);
        Ok(())
    } }
}

/// Sets a section that is a map. `section` is a `ferrion_section`; the value is one map. No value at all removes the
/// section.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_message_set_section(
    message: *mut ferrion_message_t,
    section: i32,
    value: *const ferrion_value_t,
) -> ferrion_status {
    ffi_fn! { object message, object value => {
        let map = value.single_map()?;
        let message = &mut message.message;
        match section_from(section)? {
            ferrion_section::FERRION_SECTION_DELIVERY_ANNOTATIONS => message.set_delivery_annotations(map),
            ferrion_section::FERRION_SECTION_MESSAGE_ANNOTATIONS => message.set_message_annotations(map),
            ferrion_section::FERRION_SECTION_APPLICATION_PROPERTIES => message.set_application_properties(map),
            ferrion_section::FERRION_SECTION_FOOTER => message.set_footer(map),
        }
        Ok(())
    } }
}

/// One of the application's properties. FERRION_ABSENT: the message does not have it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_message_property(
    message: *const ferrion_message_t,
    name: *const c_char,
    out_value: *mut ferrion_value_t,
) -> ferrion_status {
    ffi_fn! { object message, text name, object out_value => {
        let value = message.message.property(name)?.ok_or_else(Failure::absent)?;
        out_value.fill_from(value);
        Ok(())
    } }
}

/// Sets one of the application's properties; the value is a single one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_message_set_property(
    message: *mut ferrion_message_t,
    name: *const c_char,
    value: *const ferrion_value_t,
) -> ferrion_status {
    ffi_fn! { object message, text name, object value => {
        message.message.set_property(name, value.single()?);
        Ok(())
    } }
}

/// Sets one of the application's properties to a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ferrion_message_set_property_text(
    message: *mut ferrion_message_t,
    name: *const c_char,
    text: *const c_char,
) -> ferrion_status {
    ffi_fn! { object message, text name, text text => {
        message.message.set_property(name, text);
        Ok(())
    } }
}

/// The section that a number from C names.
fn section_from(number: i32) -> Result<ferrion_section, Failure> {
    use ferrion_section::*;
    let all = [
        FERRION_SECTION_DELIVERY_ANNOTATIONS,
        FERRION_SECTION_MESSAGE_ANNOTATIONS,
        FERRION_SECTION_APPLICATION_PROPERTIES,
        FERRION_SECTION_FOOTER,
    ];
    let found = all.into_iter().find(|section| *section as i32 == number);
    found.ok_or_else(|| Failure::invalid(format!("{number} is not a ferrion_section")))
}

fn get(message: &Message, section: ferrion_section) -> Result<Option<&Map>, Failure> {
    Ok(match section {
        ferrion_section::FERRION_SECTION_DELIVERY_ANNOTATIONS => message.delivery_annotations()?,
        ferrion_section::FERRION_SECTION_MESSAGE_ANNOTATIONS => message.message_annotations()?,
        ferrion_section::FERRION_SECTION_APPLICATION_PROPERTIES => {
            message.application_properties()?
        }
        ferrion_section::FERRION_SECTION_FOOTER => message.footer()?,
    })
}

/// Makes the body one data section. That is often what it was before, and its list of sections is used again then.
fn set_body_octets(message: &mut Message, octets: Bytes) {
    let was_octets = matches!(message.body_octets(), Ok(Some(_)));
    if was_octets
        && let Ok(Body::Data(sections)) = message.body_mut()
        && let [section] = sections.as_mut_slice()
    {
        *section = octets;
    } else {
        message.set_body(octets);
    }
}

/// All values, each of the one kind that `pick` takes.
fn each<T>(
    values: &Tape,
    rule: &'static str,
    pick: impl Fn(Value) -> Option<T>,
) -> Result<Vec<T>, Failure> {
    let picked: Option<Vec<T>> = values.values()?.into_iter().map(pick).collect();
    picked.ok_or_else(|| Failure::new(Status::FERRION_WRONG_TYPE, rule))
}
