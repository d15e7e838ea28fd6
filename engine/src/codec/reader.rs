//! A checked cursor over octets.

use bytes::Bytes;

use super::code;
use super::error::{DecodeError, DecodeErrorKind as Kind};

/// The deepest nesting of lists, maps, arrays and described values that is decoded or encoded.
pub const MAX_DEPTH: u32 = 32;

/// Array elements without octets of their own (arrays of null, true, uint 0 ...) that one reader will decode. Without such a
/// limit ten octets could demand gigabytes.
pub const MAX_ZERO_WIDTH: u32 = 64 * 1024;

/// What a [`Reader`] accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodecLimits {
    /// Levels of nesting. More than [`MAX_DEPTH`] counts as `MAX_DEPTH`.
    pub max_depth: u32,
    /// Array elements without octets, summed over the whole buffer.
    pub max_zero_width: u32,
    /// Octets of one list, map or array.
    pub max_compound: u32,
    /// Octets of one string, symbol or binary; such with up to 255 octets pass in any case.
    pub max_text: u32,
}

impl Default for CodecLimits {
    fn default() -> Self {
        Self {
            max_depth: MAX_DEPTH,
            max_zero_width: MAX_ZERO_WIDTH,
            max_compound: u32::MAX,
            max_text: u32::MAX,
        }
    }
}

/// A checked cursor over a buffer. Scalars are read from the slice; [`take`](Self::take) gives a piece of the buffer without a copy.
///
/// ```
/// use bytes::Bytes;
/// use ferrion_engine::codec::{Decode, Reader};
///
/// let octets = Bytes::from_static(&[0x52, 7, 0xa1, 2, b'h', b'i']);
/// let mut reader = Reader::new(&octets);
/// assert_eq!(u32::decode(&mut reader)?, 7);
/// assert_eq!(ferrion_engine::codec::Str::decode(&mut reader)?, "hi");
/// assert!(reader.is_empty());
/// # Ok::<(), ferrion_engine::codec::DecodeError>(())
/// ```
#[derive(Debug)]
pub struct Reader<'a> {
    source: &'a Bytes,
    /// From the start of `source` to the end of the innermost open compound, so that one comparison guards both.
    data: &'a [u8],
    pos: usize,
    depth_left: u32,
    zero_width_left: u32,
    max_compound: u32,
    max_text: u32,
}

/// An open compound: its element count, and what to return to when it ends.
#[derive(Debug)]
#[must_use = "a compound that is not closed is not checked for left-over octets"]
pub struct Compound<'a> {
    /// Elements that the compound says it holds (for a map: keys and values).
    pub count: u32,
    outer: &'a [u8],
}

/// The descriptor of a composite type, in either of its forms (1.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Descriptor<'a> {
    /// Domain and id in one number.
    Code(u64),
    /// The symbolic name.
    Name(&'a [u8]),
}

impl<'a> Reader<'a> {
    /// Reads a buffer with the default limits.
    #[inline]
    pub fn new(source: &'a Bytes) -> Self {
        Self {
            source,
            data: source,
            pos: 0,
            depth_left: MAX_DEPTH,
            zero_width_left: MAX_ZERO_WIDTH,
            max_compound: u32::MAX,
            max_text: u32::MAX,
        }
    }

    /// Reads a buffer with limits of the caller's.
    pub fn with_limits(source: &'a Bytes, limits: &CodecLimits) -> Self {
        let mut reader = Self::new(source);
        reader.limit(limits);
        reader
    }

    /// From here on these limits count.
    #[inline]
    pub(crate) fn limit(&mut self, limits: &CodecLimits) {
        self.depth_left = limits.max_depth.min(MAX_DEPTH);
        self.zero_width_left = limits.max_zero_width;
        self.max_compound = limits.max_compound;
        self.max_text = limits.max_text;
    }

    /// Reads the part of a buffer from `start` to `end`, with the default limits. Positions still count from the
    /// start of the buffer.
    #[inline]
    pub fn within(source: &'a Bytes, start: usize, end: usize) -> Self {
        let data = source.get(..end).unwrap_or(source);
        Self {
            source,
            data,
            pos: start.min(data.len()),
            depth_left: MAX_DEPTH,
            zero_width_left: MAX_ZERO_WIDTH,
            max_compound: u32::MAX,
            max_text: u32::MAX,
        }
    }

    /// Reads octets that were checked when they came in, or were written here.
    pub(crate) fn trusted(source: &'a Bytes) -> Self {
        let mut reader = Self::new(source);
        reader.zero_width_left = u32::MAX;
        reader
    }

    /// Octets from the start of the buffer to here.
    #[inline]
    pub const fn position(&self) -> usize {
        self.pos
    }

    /// Octets from here to the end of the buffer, or of the open compound.
    #[inline]
    pub const fn remaining(&self) -> usize {
        self.data.len().saturating_sub(self.pos)
    }

    /// Whether nothing remains.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.remaining() == 0
    }

    /// The next octet, which stays.
    #[inline]
    pub fn peek(&self) -> Option<u8> {
        self.data.get(self.pos).copied()
    }

    /// One octet.
    ///
    /// # Errors
    /// The buffer, or the open compound, ends before.
    #[inline(always)]
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "within the length of a buffer that is there"
    )]
    pub fn u8(&mut self) -> Result<u8, DecodeError> {
        match self.data.get(self.pos) {
            Some(&octet) => {
                self.pos += 1;
                Ok(octet)
            }
            None => Err(self.end()),
        }
    }

    /// As many octets as the array has.
    ///
    /// # Errors
    /// The buffer, or the open compound, ends before.
    #[inline(always)]
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "within the length of a buffer that is there"
    )]
    pub fn octets<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        match self.data.get(self.pos..).and_then(|d| d.first_chunk::<N>()) {
            Some(octets) => {
                self.pos += N;
                Ok(*octets)
            }
            None => Err(self.end()),
        }
    }

    /// A big-endian number of two octets.
    ///
    /// # Errors
    /// The buffer, or the open compound, ends before.
    #[inline(always)]
    pub fn u16(&mut self) -> Result<u16, DecodeError> {
        self.octets().map(u16::from_be_bytes)
    }

    /// A big-endian number of four octets.
    ///
    /// # Errors
    /// The buffer, or the open compound, ends before.
    #[inline(always)]
    pub fn u32(&mut self) -> Result<u32, DecodeError> {
        self.octets().map(u32::from_be_bytes)
    }

    /// A big-endian number of eight octets.
    ///
    /// # Errors
    /// The buffer, or the open compound, ends before.
    #[inline(always)]
    pub fn u64(&mut self) -> Result<u64, DecodeError> {
        self.octets().map(u64::from_be_bytes)
    }

    /// The next `n` octets as a slice.
    ///
    /// # Errors
    /// The buffer, or the open compound, ends before.
    #[inline(always)]
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "within the length of a buffer that is there"
    )]
    pub fn slice(&mut self, n: usize) -> Result<&'a [u8], DecodeError> {
        let found = self
            .pos
            .checked_add(n)
            .and_then(|end| self.data.get(self.pos..end));
        match found {
            Some(slice) => {
                self.pos += n;
                Ok(slice)
            }
            None => Err(self.end()),
        }
    }

    /// The next `n` octets as a piece of the buffer, without a copy.
    ///
    /// # Errors
    /// The buffer, or the open compound, ends before.
    #[inline]
    pub fn take(&mut self, n: usize) -> Result<Bytes, DecodeError> {
        let start = self.pos;
        self.slice(n)?;
        Ok(self.source.slice(start..self.pos))
    }

    /// Passes over these octets if they are next; they must be a whole value one level deep.
    #[inline]
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "within the length of a buffer that is there"
    )]
    pub(crate) fn skip_octets(&mut self, octets: &[u8]) -> bool {
        let rest = self.data.get(self.pos..).unwrap_or_default();
        let next = self.depth_left > 0 && rest.starts_with(octets);
        if next {
            self.pos += octets.len();
        }
        next
    }

    /// The octets from an earlier [`position`](Self::position) up to here, without a copy. Empty if `start` is not before here.
    pub fn since(&self, start: usize) -> Bytes {
        self.source.slice(start.min(self.pos)..self.pos)
    }

    /// As many octets of the buffer as the array has, be they part of what is read or not.
    #[inline(always)]
    pub(super) fn window<const N: usize>(&self) -> Option<&'a [u8; N]> {
        self.source.get(self.pos..)?.first_chunk()
    }

    /// Passes over octets if as many are there, and answers whether that was done. They are no more than a short value has.
    #[inline(always)]
    pub(super) const fn pass(&mut self, octets: usize) -> bool {
        // A buffer that is there ends far enough from the largest number.
        let end = self.pos.wrapping_add(octets);
        let fits = end <= self.data.len();
        if fits {
            self.pos = end;
        }
        fits
    }

    /// All that remains of the buffer, or of the open compound, without a copy.
    pub fn rest(&mut self) -> Bytes {
        let start = self.pos.min(self.data.len());
        self.pos = self.data.len();
        self.source.slice(start..self.pos)
    }

    /// The size of text or binary: four octets if `wide`, else one.
    #[inline]
    pub(super) fn size(&mut self, wide: bool) -> Result<usize, DecodeError> {
        self.size_within(wide, self.max_text)
    }

    /// A size: four octets if `wide`, else one.
    #[inline]
    pub(super) fn size_within(&mut self, wide: bool, most: u32) -> Result<usize, DecodeError> {
        if !wide {
            return self.u8().map(usize::from);
        }
        let size = self.u32()?;
        if size > most {
            return Err(self.error(Kind::TooLarge(size)));
        }
        // A 16-bit address space could not hold what does not convert.
        usize::try_from(size).map_err(|_| self.end())
    }

    /// Opens a list whose constructor has been read.
    ///
    /// # Errors
    /// It is no list, its size or count cannot be, or it is nested too deeply.
    #[inline]
    pub fn open_list(&mut self, constructor: u8) -> Result<Compound<'a>, DecodeError> {
        let wide = match constructor {
            code::LIST8 => false,
            code::LIST32 => true,
            code::LIST0 => {
                self.descend()?;
                let outer = self.data;
                self.data = outer.get(..self.pos).unwrap_or_default();
                return Ok(Compound { count: 0, outer });
            }
            other => return Err(self.wrong_type("list", other)),
        };
        self.open_counted(wide)
    }

    /// Opens a map whose constructor has been read. The count is even.
    ///
    /// # Errors
    /// It is no map, its size or count cannot be, the count is odd, or it is nested too deeply.
    #[inline]
    pub fn open_map(&mut self, constructor: u8) -> Result<Compound<'a>, DecodeError> {
        let at = self.pos;
        let wide = match constructor {
            code::MAP8 => false,
            code::MAP32 => true,
            other => return Err(self.wrong_type("map", other)),
        };
        let map = self.open_counted(wide)?;
        if map.count % 2 != 0 {
            return Err(DecodeError::new(at, Kind::OddMapCount));
        }
        Ok(map)
    }

    /// Opens an array whose constructor has been read. The element constructor is next; then call
    /// [`check_elements`](Self::check_elements).
    pub(super) fn open_array(&mut self, constructor: u8) -> Result<Compound<'a>, DecodeError> {
        match constructor {
            code::ARRAY8 => self.open_sized(false),
            code::ARRAY32 => self.open_sized(true),
            other => Err(self.wrong_type("array", other)),
        }
    }

    /// Whether `count` elements of this constructor can be what remains of the open array.
    pub(super) fn check_elements(
        &mut self,
        constructor: u8,
        count: u32,
    ) -> Result<(), DecodeError> {
        let Some(width) = code::width(constructor) else {
            return Err(self.unknown_code(constructor));
        };
        let least = code::least_width(constructor).saturating_mul(u64::from(count));
        let remaining = self.remaining() as u64;
        if width == code::Width::Fixed(0) {
            match self.zero_width_left.checked_sub(count) {
                Some(left) => self.zero_width_left = left,
                None => return Err(self.error(Kind::BadCount(count))),
            }
        }
        if matches!(width, code::Width::Fixed(_)) && least < remaining {
            return Err(self.error(Kind::SizeMismatch));
        }
        if least > remaining {
            return Err(self.error(Kind::BadCount(count)));
        }
        Ok(())
    }

    /// Ends a compound; whatever it should hold must have been read.
    ///
    /// # Errors
    /// It holds more than was read.
    #[inline(always)]
    pub fn close(&mut self, compound: Compound<'a>) -> Result<(), DecodeError> {
        if self.pos != self.data.len() {
            return Err(self.error(Kind::SizeMismatch));
        }
        self.data = compound.outer;
        self.ascend();
        Ok(())
    }

    /// One level deeper: a compound or a described value.
    #[inline]
    pub(super) fn descend(&mut self) -> Result<(), DecodeError> {
        match self.depth_left.checked_sub(1) {
            Some(left) => {
                self.depth_left = left;
                Ok(())
            }
            None => Err(self.error(Kind::TooDeep)),
        }
    }

    /// One level back.
    #[inline]
    pub(super) fn ascend(&mut self) {
        self.depth_left = self.depth_left.saturating_add(1);
    }

    /// The descriptor of a described value whose constructor (0x00) has been read.
    ///
    /// # Errors
    /// It is neither a ulong nor a symbol, or the buffer ends before.
    #[inline]
    pub fn descriptor(&mut self) -> Result<Descriptor<'a>, DecodeError> {
        Ok(match self.u8()? {
            code::ULONG_SMALL => Descriptor::Code(u64::from(self.u8()?)),
            code::ULONG => Descriptor::Code(self.u64()?),
            code::ULONG_ZERO => Descriptor::Code(0),
            found @ (code::SYMBOL8 | code::SYMBOL32) => {
                let size = self.size(found == code::SYMBOL32)?;
                Descriptor::Name(self.slice(size)?)
            }
            other => return Err(self.wrong_type("a descriptor (ulong or symbol)", other)),
        })
    }

    /// An error here.
    #[cold]
    #[inline(never)]
    pub fn error(&self, kind: Kind) -> DecodeError {
        DecodeError::new(self.pos, kind)
    }

    /// An error at the constructor that has just been read: it belongs to another type, or to none.
    #[cold]
    #[inline(never)]
    pub fn wrong_type(&self, expected: &'static str, found: u8) -> DecodeError {
        if found != code::DESCRIBED && code::width(found).is_none() {
            return self.unknown_code(found);
        }
        DecodeError::new(
            self.pos.saturating_sub(1),
            Kind::WrongType { expected, found },
        )
    }

    #[cold]
    #[inline(never)]
    pub(super) fn unknown_code(&self, found: u8) -> DecodeError {
        DecodeError::new(self.pos.saturating_sub(1), Kind::UnknownCode(found))
    }

    #[cold]
    #[inline(never)]
    fn end(&self) -> DecodeError {
        DecodeError::new(self.data.len(), Kind::UnexpectedEnd)
    }

    #[inline]
    fn open_counted(&mut self, wide: bool) -> Result<Compound<'a>, DecodeError> {
        let compound = self.open_sized(wide)?;
        // Every element has at least its constructor.
        if compound.count as usize > self.remaining() {
            return Err(self.error(Kind::BadCount(compound.count)));
        }
        Ok(compound)
    }

    #[inline]
    fn open_sized(&mut self, wide: bool) -> Result<Compound<'a>, DecodeError> {
        self.descend()?;
        let size = self.size_within(wide, self.max_compound)?;
        let outer = self.data;
        let inner = self.pos.checked_add(size).and_then(|end| outer.get(..end));
        let Some(inner) = inner else {
            return Err(self.end());
        };
        self.data = inner;
        let count = if wide {
            self.u32()?
        } else {
            u32::from(self.u8()?)
        };
        Ok(Compound { count, outer })
    }
}
