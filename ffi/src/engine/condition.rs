//! Error conditions, in three parts: what kind, a text for people, and a map of more.

use ferrion_engine::EndError;
use ferrion_engine::Origin;
use ferrion_engine::codec::{Symbol, Value};
use ferrion_engine::protocol::Condition;

use super::Inner;
use crate::guard::{Entered, Out};
use crate::status::Failure;
use crate::types::ferrion_bytes_t;
use crate::value::Tape;

/// The condition that C gives; none without a kind.
pub(super) fn given_condition(
    condition: Option<&str>,
    description: Option<&str>,
    info: Option<&Tape>,
) -> Result<Option<Condition>, Failure> {
    let Some(condition) = condition else {
        return Ok(None);
    };
    let mut given = Condition::new(Symbol::try_from(condition)?);
    given.description = description.map(Into::into);
    given.info = match info {
        Some(info) => info.single_map()?.map(Into::into),
        None => None,
    };
    Ok(Some(given))
}

/// The same where there must be one.
pub(super) fn required_condition(
    condition: &str,
    description: Option<&str>,
    info: Option<&Tape>,
) -> Result<Condition, Failure> {
    given_condition(Some(condition), description, info)?.ok_or_else(Failure::absent)
}

/// Where C wants the parts of a condition.
pub(super) struct Parts<'a> {
    pub(super) condition: Out<ferrion_bytes_t>,
    pub(super) description: Out<ferrion_bytes_t>,
    pub(super) info: Option<Entered<'a, Tape>>,
}

impl Inner {
    /// Lends a condition to C.
    pub(super) fn tell(
        &mut self,
        condition: Option<Condition>,
        parts: Parts<'_>,
    ) -> Result<(), Failure> {
        let condition = self
            .condition
            .insert(condition.ok_or_else(Failure::absent)?);
        if let Some(mut info) = parts.info {
            info.fill(
                condition
                    .info
                    .as_ref()
                    .map(|info| Value::Map(info.to_map())),
            );
        }
        parts.condition.set(condition.condition.as_str().into());
        parts.description.set(
            condition
                .description
                .as_ref()
                .map_or("", |text| text.as_str())
                .into(),
        );
        Ok(())
    }

    /// Lends the error that ended something to C.
    pub(super) fn tell_end(
        &mut self,
        error: Option<EndError>,
        out_remote: Out<bool>,
        parts: Parts<'_>,
    ) -> Result<(), Failure> {
        let error = error.ok_or_else(Failure::absent)?;
        let is_remote = error.origin == Origin::Remote;
        self.tell(Some(error.condition), parts)?;
        out_remote.set(is_remote);
        Ok(())
    }
}

/// Gathers the out parameters of a condition.
macro_rules! parts {
    ($condition:ident, $description:ident, $info:ident) => {
        Parts {
            condition: $condition,
            description: $description,
            info: $info,
        }
    };
}
pub(super) use parts;
