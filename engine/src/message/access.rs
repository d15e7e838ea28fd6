//! The getters and setters of [`Message`]: whole sections first, then single fields by name.

use bytes::Bytes;

use crate::codec::{DecodeError, Map, Str, Symbol, Timestamp, Value, code};

use super::body::NULL_BODY;
use super::peek::{self, Encoded};
use super::{BODY, Body, Header, Message, MessageId, Properties, Section};

/// The three accessors of a section.
macro_rules! sections {
    ($($section:ident $field:ident $field_mut:ident $set:ident: $Type:ty, $what:literal;)*) => {
        impl Message {$(
            #[doc = concat!("Reads ", $what, ". `None`: the message has no such section.")]
            ///
            /// # Errors
            /// The received section cannot be decoded.
            #[inline]
            pub fn $field(&self) -> Result<Option<&$Type>, DecodeError> {
                self.$field.get(&self.octets, self.layout.span(Section::$section))
            }

            #[doc = concat!("Opens ", $what, " to changes. An absent section is created.")]
            ///
            /// # Errors
            /// The received section cannot be decoded; the message is as it was.
            pub fn $field_mut(&mut self) -> Result<&mut $Type, DecodeError> {
                self.$field.get_mut(&self.octets, &mut self.layout, Section::$section)
            }

            #[doc = concat!("Replaces ", $what, ", or removes the section.")]
            pub fn $set(&mut self, value: Option<$Type>) {
                self.layout.remove(Section::$section);
                self.$field.set(value);
            }
        )*}
    };
}

sections! {
    Header header header_mut set_header: Header, "the header (3.2.1)";
    DeliveryAnnotations delivery_annotations delivery_annotations_mut set_delivery_annotations: Map,
        "the delivery annotations (3.2.2), whose keys are symbols";
    MessageAnnotations message_annotations message_annotations_mut set_message_annotations: Map,
        "the message annotations (3.2.3), whose keys are symbols";
    Properties properties properties_mut set_properties: Properties, "the standard properties (3.2.4)";
    ApplicationProperties application_properties application_properties_mut set_application_properties: Map,
        "the application's properties (3.2.5), whose keys are strings";
    Footer footer footer_mut set_footer: Map, "the footer (3.2.9), whose keys are symbols";
}

/// The body.
impl Message {
    /// The body (3.2.6 to 3.2.8): the value null if none was set.
    ///
    /// # Errors
    /// The received body cannot be decoded.
    pub fn body(&self) -> Result<&Body, DecodeError> {
        let body = self.body.get(&self.octets, self.layout.span(BODY))?;
        Ok(body.unwrap_or(&NULL_BODY))
    }

    /// The body, to be changed.
    ///
    /// # Errors
    /// The received body cannot be decoded; the message is as it was.
    pub fn body_mut(&mut self) -> Result<&mut Body, DecodeError> {
        self.body.get_mut(&self.octets, &mut self.layout, BODY)
    }

    /// Replaces the body.
    pub fn set_body(&mut self, body: impl Into<Body>) {
        self.layout.remove(BODY);
        self.body.set(Some(body.into()));
    }

    /// The octets of the body if it is one data section or one binary value; `None` for any other body.
    ///
    /// Nothing is copied, and nothing else of the body decoded.
    ///
    /// # Errors
    /// The received body cannot be decoded.
    pub fn body_octets(&self) -> Result<Option<&[u8]>, DecodeError> {
        if let Some(octets) = self.quick_body(code::BINARY8, code::BINARY32) {
            return Ok(Some(octets));
        }
        match self.peek_body()? {
            Peeked::Decoded(Body::Data(sections)) => Ok(match sections.as_slice() {
                [] => Some(&[]),
                [section] => Some(section),
                _ => None,
            }),
            Peeked::Decoded(Body::Value(Value::Binary(octets))) => Ok(Some(octets)),
            Peeked::Encoded(value)
                if matches!(value.constructor, code::BINARY8 | code::BINARY32) =>
            {
                value.binary().map(Some)
            }
            _ => Ok(None),
        }
    }

    /// The text of the body if it is one string; `None` for any other body.
    ///
    /// Nothing is copied, and nothing else of the body decoded.
    ///
    /// # Errors
    /// The received body cannot be decoded.
    pub fn body_text(&self) -> Result<Option<&str>, DecodeError> {
        match self.peek_body()? {
            Peeked::Decoded(Body::Value(Value::String(text))) => Ok(Some(text.as_str())),
            Peeked::Encoded(value)
                if matches!(value.constructor, code::STRING8 | code::STRING32) =>
            {
                value.string().map(Some)
            }
            _ => Ok(None),
        }
    }

    /// The octets of the received body if it is one section, and its value has one of these constructors.
    #[inline]
    fn quick_body(&self, short: u8, long: u8) -> Option<&[u8]> {
        let span = self.layout.span(BODY);
        let (octets, size) = match self.octets.get(span.value as usize..span.end as usize)? {
            [found, size, octets @ ..] if *found == short => (octets, usize::from(*size)),
            [found, a, b, c, d, octets @ ..] if *found == long => {
                (octets, u32::from_be_bytes([*a, *b, *c, *d]) as usize)
            }
            _ => return None,
        };
        (octets.len() == size).then_some(octets)
    }

    fn peek_body(&self) -> Result<Peeked<'_>, DecodeError> {
        let span = self.layout.span(BODY);
        if let Some(body) = self.body.peek(span) {
            return Ok(Peeked::Decoded(body));
        }
        if span.is_absent() {
            return Ok(Peeked::Decoded(&NULL_BODY));
        }
        Ok(match Encoded::alone(&self.octets, span)? {
            Some(value) => Peeked::Encoded(value),
            None => Peeked::Sections,
        })
    }
}

/// A body, known as far as it is needed.
enum Peeked<'a> {
    Decoded(&'a Body),
    /// One section that was not decoded.
    Encoded(Encoded<'a>),
    /// Several sections that were not decoded.
    Sections,
}

/// The application's properties, one by one.
impl Message {
    /// The application property of this name (3.2.5).
    ///
    /// # Errors
    /// The received application-properties cannot be decoded.
    pub fn property(&self, name: &str) -> Result<Option<&Value>, DecodeError> {
        Ok(self
            .application_properties()?
            .and_then(|map| map.get_str(name)))
    }

    /// Sets an application property, replacing the one of the same name.
    ///
    /// 3.2.5 allows simple values only: peers may refuse a message with a list, map or array here.
    pub fn set_property(&mut self, name: impl Into<Str>, value: impl Into<Value>) {
        let section = Section::ApplicationProperties;
        let slot = &mut self.application_properties;
        let map = slot.force_mut(&self.octets, &mut self.layout, section);
        map.insert(name.into(), value.into());
    }
}

/// Fields of the header (3.2.1), with the defaults of the specification where there is none.
impl Message {
    /// Whether the message must survive the failure of an intermediary.
    ///
    /// # Errors
    /// The received header cannot be decoded.
    pub fn durable(&self) -> Result<bool, DecodeError> {
        Ok(self.header()?.is_some_and(|h| h.durable))
    }

    /// The priority, higher numbers first; 4 unless set.
    ///
    /// # Errors
    /// The received header cannot be decoded.
    pub fn priority(&self) -> Result<u8, DecodeError> {
        Ok(self
            .header()?
            .map_or(Header::DEFAULT_PRIORITY, |h| h.priority))
    }

    /// The time to live in milliseconds; `None`: the message does not expire.
    ///
    /// # Errors
    /// The received header cannot be decoded.
    pub fn ttl(&self) -> Result<Option<u32>, DecodeError> {
        Ok(self.header()?.and_then(|h| h.ttl))
    }

    /// Whether the message was not acquired by any other link before.
    ///
    /// # Errors
    /// The received header cannot be decoded.
    pub fn first_acquirer(&self) -> Result<bool, DecodeError> {
        Ok(self.header()?.is_some_and(|h| h.first_acquirer))
    }

    /// The number of unsuccessful attempts to deliver the message before this one.
    ///
    /// # Errors
    /// The received header cannot be decoded.
    pub fn delivery_count(&self) -> Result<u32, DecodeError> {
        Ok(self.header()?.map_or(0, |h| h.delivery_count))
    }

    /// Sets whether the message must survive the failure of an intermediary.
    pub fn set_durable(&mut self, durable: bool) {
        self.force_header().durable = durable;
    }

    /// Sets the priority.
    pub fn set_priority(&mut self, priority: u8) {
        self.force_header().priority = priority;
    }

    /// Sets the time to live in milliseconds, or removes it.
    pub fn set_ttl(&mut self, ttl: Option<u32>) {
        self.force_header().ttl = ttl;
    }

    /// Sets whether the message was not acquired by any other link before.
    pub fn set_first_acquirer(&mut self, first_acquirer: bool) {
        self.force_header().first_acquirer = first_acquirer;
    }

    /// Sets the number of unsuccessful attempts to deliver the message.
    pub fn set_delivery_count(&mut self, delivery_count: u32) {
        self.force_header().delivery_count = delivery_count;
    }

    fn force_header(&mut self) -> &mut Header {
        self.header
            .force_mut(&self.octets, &mut self.layout, Section::Header)
    }
}

/// Accessors of the standard properties: the place of the field in the list, how it is read, how it is set.
macro_rules! properties {
    ($($index:literal $field:ident $get:ident $set:ident: $Taken:ty as $kind:ident, $what:literal;)*) => {
        /// Fields of the standard properties (3.2.4). A received field is read by itself, the others stay undecoded.
        impl Message {$(
            properties!(@get $kind $index $field $get $what);

            #[doc = concat!("Sets ", $what, ".")]
            pub fn $set(&mut self, value: $Taken) {
                let section = Section::Properties;
                let properties = self.properties.force_mut(&self.octets, &mut self.layout, section);
                properties.$field = Some(value.into());
            }
        )*}
    };
    (@get string $index:literal $field:ident $get:ident $what:literal) => {
        properties!(@borrowed $index $field $get $what, str, as_str, short_string, string);
    };
    (@get symbol $index:literal $field:ident $get:ident $what:literal) => {
        properties!(@borrowed $index $field $get $what, str, as_str, short_symbol, symbol);
    };
    (@get binary $index:literal $field:ident $get:ident $what:literal) => {
        properties!(@borrowed $index $field $get $what, [u8], as_ref, short_binary, binary);
    };
    (@borrowed $index:literal $field:ident $get:ident $what:literal, $Given:ty, $as:ident, $quick:ident, $read:ident) => {
        #[doc = concat!("Reads ", $what, ".")]
        ///
        /// # Errors
        /// The received field cannot be decoded.
        pub fn $get<'a>(&'a self) -> Result<Option<&'a $Given>, DecodeError> {
            let decoded = |p: &'a Properties| p.$field.as_ref().map(|v| v.$as());
            self.peek_property($index, decoded, peek::$quick, Encoded::$read)
        }
    };
    (@get MessageId $index:literal $field:ident $get:ident $what:literal) => {
        properties!(@owned $index $field $get $what, MessageId, short_id);
    };
    (@get Timestamp $index:literal $field:ident $get:ident $what:literal) => {
        properties!(@owned $index $field $get $what, Timestamp, timestamp);
    };
    (@get u32 $index:literal $field:ident $get:ident $what:literal) => {
        properties!(@owned $index $field $get $what, u32, uint);
    };
    (@owned $index:literal $field:ident $get:ident $what:literal, $Given:ident, $quick:ident) => {
        #[doc = concat!("Reads ", $what, ".")]
        ///
        /// # Errors
        /// The received field cannot be decoded.
        pub fn $get(&self) -> Result<Option<$Given>, DecodeError> {
            self.peek_property($index, |p| p.$field.clone(), peek::$quick, Encoded::decode)
        }
    };
}

properties! {
    0 message_id message_id set_message_id: impl Into<MessageId> as MessageId, "the message's own id";
    1 user_id user_id set_user_id: impl Into<Bytes> as binary, "the identity of the user that made the message";
    2 to address set_address: impl Into<Str> as string, "the address of the node that the message is for (the field `to`)";
    3 subject subject set_subject: impl Into<Str> as string, "the subject";
    4 reply_to reply_to set_reply_to: impl Into<Str> as string, "the address of the node that replies go to";
    5 correlation_id correlation_id set_correlation_id: impl Into<MessageId> as MessageId, "the id that ties messages together";
    6 content_type content_type set_content_type: impl Into<Symbol> as symbol, "the MIME type of a body of data sections";
    7 content_encoding content_encoding set_content_encoding: impl Into<Symbol> as symbol, "the encodings applied on top of the content type";
    8 absolute_expiry_time absolute_expiry_time set_absolute_expiry_time: Timestamp as Timestamp, "the time when the message expires";
    9 creation_time creation_time set_creation_time: Timestamp as Timestamp, "the time when the message was made";
    10 group_id group_id set_group_id: impl Into<Str> as string, "the group that the message belongs to";
    11 group_sequence group_sequence set_group_sequence: u32 as u32, "the place of the message in its group";
    12 reply_to_group_id reply_to_group_id set_reply_to_group_id: impl Into<Str> as string, "the group that replies belong to";
}

impl Message {
    /// A property as it was decoded, or from its field alone: by the `quick` way to what it nearly always is, else by the one to
    /// everything, which is no part of the callers.
    #[inline(always)]
    fn peek_property<'a, T>(
        &'a self,
        index: u8,
        decoded: impl FnOnce(&'a Properties) -> Option<T>,
        quick: impl FnOnce(&'a [u8]) -> Option<T>,
        encoded: impl FnOnce(Encoded<'a>) -> Result<T, DecodeError>,
    ) -> Result<Option<T>, DecodeError> {
        let span = self.layout.span(Section::Properties);
        if let Some(properties) = self.properties.peek(span) {
            return Ok(decoded(properties));
        }
        if span.is_absent() {
            return Ok(None);
        }
        let found = self.property_index.find(&self.octets, span, index);
        match found.and_then(|at| quick(self.octets.get(at..)?)) {
            Some(property) => Ok(Some(property)),
            None => self.encoded_property(index, found, encoded),
        }
    }

    #[inline(never)]
    fn encoded_property<'a, T>(
        &'a self,
        index: u8,
        found: Option<usize>,
        encoded: impl FnOnce(Encoded<'a>) -> Result<T, DecodeError>,
    ) -> Result<Option<T>, DecodeError> {
        let span = self.layout.span(Section::Properties);
        let value = match found {
            Some(at) => Encoded::at(&self.octets, span, at)?,
            None => Encoded::seek(&self.octets, span, index)?,
        };
        value.map(encoded).transpose()
    }
}
