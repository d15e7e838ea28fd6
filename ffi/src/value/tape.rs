//! What a `ferrion_value_t` holds: trees of values laid out flat, in the order in which they are written.
//!
//! Flat means that building and walking need no recursion, no pointers and no allocation per value, and that a cursor is a
//! pair of numbers.

use ferrion_engine::codec::{Array, Described, MAX_DEPTH, Map, Type, Value};

use crate::status::{Failure, ferrion_status as Status};

/// Values in a row, a cursor that walks them, and room for octets that are lent to C.
#[derive(Debug, Default)]
pub(crate) struct Tape {
    nodes: Vec<Node>,
    /// The branches that are open for more values, by their place in `nodes`.
    open: Vec<usize>,
    cursor: Cursor,
    lent: Vec<u8>,
}

#[derive(Debug, Clone)]
enum Node {
    /// A value that holds no others.
    Leaf(Value),
    /// The values up to `end` are inside; `count` of them directly.
    Branch {
        kind: Branch,
        count: usize,
        end: usize,
    },
}

/// A value that holds others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Branch {
    List,
    /// Keys and values alternate.
    Map,
    /// The descriptor, then the value.
    Described,
    /// First `descriptors` values that all elements share as descriptors, then the elements.
    Array {
        element: Type,
        descriptors: usize,
    },
}

impl Branch {
    const fn type_of(self) -> Type {
        match self {
            Self::List => Type::List,
            Self::Map => Type::Map,
            Self::Described => Type::Described,
            Self::Array { .. } => Type::Array,
        }
    }
}

#[derive(Debug, Default)]
struct Cursor {
    /// The value that is looked at.
    at: Option<usize>,
    /// Where the next value starts, and where the row that is walked ends.
    next: usize,
    end: usize,
    /// The branches that were entered, and the ends of the rows that they stand in.
    entered: Vec<(usize, usize)>,
}

impl Clone for Tape {
    fn clone(&self) -> Self {
        let mut clone = Self::default();
        clone.clone_from(self);
        clone
    }

    /// Copies the values; the copy's walk starts at its beginning.
    fn clone_from(&mut self, source: &Self) {
        self.nodes.clone_from(&source.nodes);
        self.open.clone_from(&source.open);
        self.rewind();
    }
}

/// Building.
impl Tape {
    pub(crate) fn clear(&mut self) {
        self.empty();
        self.rewind();
    }

    /// Removes all values; who fills in others rewinds then.
    fn empty(&mut self) {
        self.nodes.clear();
        self.open.clear();
    }

    /// Appends a value that holds no others.
    pub(crate) fn put(&mut self, leaf: Value) -> Result<(), Failure> {
        self.admit(leaf.type_of())?;
        self.nodes.push(Node::Leaf(leaf));
        self.rewind();
        Ok(())
    }

    /// Appends a value that holds the ones that follow, up to [`end`](Self::end).
    pub(crate) fn begin(&mut self, kind: Branch) -> Result<(), Failure> {
        if self.open.len() >= MAX_DEPTH as usize {
            return Err(Failure::new(
                Status::FERRION_ENCODE,
                format!("nested deeper than {MAX_DEPTH} levels: build it flatter"),
            ));
        }
        self.admit(kind.type_of())?;
        self.open.push(self.nodes.len());
        self.nodes.push(Node::Branch {
            kind,
            count: 0,
            end: 0,
        });
        self.rewind();
        Ok(())
    }

    /// Closes what was begun last.
    pub(crate) fn end(&mut self) -> Result<(), Failure> {
        let here = self.nodes.len();
        let Some(Node::Branch { kind, count, end }) =
            self.open.last().and_then(|at| self.nodes.get_mut(*at))
        else {
            return Err(Failure::new(
                Status::FERRION_STATE,
                "nothing is open: begin a list, map or the like first",
            ));
        };
        match *kind {
            Branch::Map if !count.is_multiple_of(2) => {
                return Err(Failure::new(
                    Status::FERRION_STATE,
                    "the last key of the map has no value yet",
                ));
            }
            Branch::Described if *count != 2 => {
                return Err(Failure::new(
                    Status::FERRION_STATE,
                    "a described value is a descriptor and then one value",
                ));
            }
            Branch::Array { descriptors, .. } if *count < descriptors => {
                return Err(Failure::new(
                    Status::FERRION_STATE,
                    "the array has fewer values than descriptors",
                ));
            }
            _ => {}
        }
        *end = here;
        self.open.pop();
        self.rewind();
        Ok(())
    }

    /// Appends a whole value.
    pub(crate) fn push_value(&mut self, value: Value) {
        self.push_own(value);
        self.rewind();
    }

    /// Appends a whole value into what is open.
    pub(crate) fn put_tree(&mut self, value: Value) -> Result<(), Failure> {
        self.admit(value.type_of())?;
        self.push_value(value);
        Ok(())
    }

    /// Counts a value of this type into what is open, if it fits there.
    fn admit(&mut self, kind: Type) -> Result<(), Failure> {
        let Some(Node::Branch {
            kind: branch,
            count,
            ..
        }) = self.open.last().and_then(|at| self.nodes.get_mut(*at))
        else {
            return Ok(());
        };
        match *branch {
            Branch::Described if *count == 2 => {
                return Err(Failure::new(
                    Status::FERRION_STATE,
                    "a described value is a descriptor and then one value: end it first",
                ));
            }
            Branch::Array {
                element,
                descriptors,
            } if *count >= descriptors && kind != element => {
                return Err(Failure::new(
                    Status::FERRION_WRONG_TYPE,
                    format!(
                        "a {kind:?} cannot stand in an array of {element:?}: use a list, or convert it"
                    ),
                ));
            }
            _ => {}
        }
        *count += 1;
        Ok(())
    }

    /// A value that holds no others is moved, which is most of them.
    #[inline]
    fn push_own(&mut self, value: Value) {
        match value {
            Value::List(_) | Value::Map(_) | Value::Described(_) | Value::Array(_) => {
                self.push_tree(&value);
            }
            leaf => self.nodes.push(Node::Leaf(leaf)),
        }
    }

    /// Recursion is safe: whoever made the value kept within [`MAX_DEPTH`].
    fn push_tree(&mut self, value: &Value) {
        match value {
            Value::List(list) => self.push_branch(Branch::List, list.len(), list),
            Value::Map(map) => self.push_map(map),
            Value::Described(described) => {
                let both = [&described.descriptor, &described.value];
                self.push_branch(Branch::Described, 2, both);
            }
            Value::Array(array) => {
                let (element, descriptors) = (array.element_type(), array.descriptors());
                let kind = Branch::Array {
                    element,
                    descriptors: descriptors.len(),
                };
                let count = array.len() + descriptors.len();
                self.push_branch(kind, count, descriptors.iter().chain(array.items()));
            }
            // The commonest are made where they stay; a value that is made and then moved is waited for.
            Value::String(text) => self.nodes.push(Node::Leaf(Value::String(text.clone()))),
            Value::Symbol(text) => self.nodes.push(Node::Leaf(Value::Symbol(text.clone()))),
            Value::Int(number) => self.nodes.push(Node::Leaf(Value::Int(*number))),
            Value::Uint(number) => self.nodes.push(Node::Leaf(Value::Uint(*number))),
            Value::Long(number) => self.nodes.push(Node::Leaf(Value::Long(*number))),
            Value::Ulong(number) => self.nodes.push(Node::Leaf(Value::Ulong(*number))),
            leaf => self.nodes.push(Node::Leaf(leaf.clone())),
        }
    }

    fn push_map(&mut self, map: &Map) {
        let entries = map.iter().flat_map(|(key, value)| [key, value]);
        self.push_branch(Branch::Map, map.len().saturating_mul(2), entries);
    }

    fn push_branch<'a>(
        &mut self,
        kind: Branch,
        count: usize,
        items: impl IntoIterator<Item = &'a Value>,
    ) {
        let at = self.nodes.len();
        let end = 0;
        self.nodes.push(Node::Branch { kind, count, end });
        for item in items {
            self.push_tree(item);
        }
        let here = self.nodes.len();
        if let Some(Node::Branch { end, .. }) = self.nodes.get_mut(at) {
            *end = here;
        }
    }
}

/// Taking whole values out.
impl Tape {
    /// All values.
    pub(crate) fn values(&self) -> Result<Vec<Value>, Failure> {
        if !self.open.is_empty() {
            return Err(Failure::new(
                Status::FERRION_STATE,
                format!(
                    "{} lists, maps or the like are still open: end them first",
                    self.open.len()
                ),
            ));
        }
        let mut values = Vec::new();
        let mut at = 0;
        while at < self.nodes.len() {
            values.push(self.tree(&mut at)?);
        }
        Ok(values)
    }

    /// Whether there is no value.
    pub(crate) fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The value, if there is exactly one.
    pub(crate) fn single(&self) -> Result<Value, Failure> {
        // The common case without a vector.
        if let ([Node::Leaf(value)], true) = (self.nodes.as_slice(), self.open.is_empty()) {
            return Ok(value.clone());
        }
        let mut values = self.values()?;
        match (values.pop(), values.len()) {
            (Some(value), 0) => Ok(value),
            (_, more) => {
                let found = if more == 0 {
                    "there is none".to_owned()
                } else {
                    format!("there are {}", more + 1)
                };
                Err(Failure::invalid(format!(
                    "one value belongs here, and {found}"
                )))
            }
        }
    }

    /// The map, if there is exactly one value and it is a map. No value at all is no map.
    pub(crate) fn single_map(&self) -> Result<Option<Map>, Failure> {
        if self.nodes.is_empty() {
            return Ok(None);
        }
        match self.single()? {
            Value::Map(map) => Ok(Some(map)),
            other => Err(Failure::new(
                Status::FERRION_WRONG_TYPE,
                format!("a map belongs here, not a {:?}", other.type_of()),
            )),
        }
    }

    /// The value at `at`, which moves behind it. Recursion is bounded by what `begin` and the decoder allow.
    fn tree(&self, at: &mut usize) -> Result<Value, Failure> {
        let (kind, count, end) = match self.nodes.get(*at) {
            Some(Node::Leaf(value)) => {
                *at += 1;
                return Ok(value.clone());
            }
            Some(Node::Branch { kind, count, end }) => (*kind, *count, *end),
            None => return Ok(Value::Null),
        };
        *at += 1;
        let mut items = Vec::with_capacity(count);
        while *at < end {
            items.push(self.tree(at)?);
        }
        Ok(match kind {
            Branch::List => Value::List(items),
            Branch::Map => {
                let mut map = Map::new();
                let mut items = items.into_iter();
                while let (Some(key), Some(value)) = (items.next(), items.next()) {
                    if let Some(_before) = map.insert(key, value) {
                        return Err(Failure::invalid("the map has a key twice"));
                    }
                }
                Value::Map(map)
            }
            Branch::Described => {
                let mut items = items.into_iter();
                let descriptor = items.next().unwrap_or_default();
                let value = items.next().unwrap_or_default();
                Value::Described(Box::new(Described { descriptor, value }))
            }
            Branch::Array {
                element,
                descriptors,
            } => {
                let elements = items.split_off(descriptors.min(items.len()));
                let array = Array::with_descriptors(element, items, elements);
                Value::Array(Box::new(
                    array.map_err(|mixed| Failure::invalid(mixed.to_string()))?,
                ))
            }
        })
    }
}

/// Walking.
impl Tape {
    /// To before the first value.
    pub(crate) fn rewind(&mut self) {
        self.cursor.at = None;
        self.cursor.next = 0;
        self.cursor.end = self.nodes.len();
        self.cursor.entered.clear();
    }

    /// To the next value of the row.
    #[inline]
    pub(crate) fn next(&mut self) -> Result<(), Failure> {
        if !self.open.is_empty() {
            return Err(Failure::new(
                Status::FERRION_STATE,
                "a list, map or the like is still open: end it first",
            ));
        }
        if self.cursor.next >= self.cursor.end {
            self.cursor.at = None;
            return Err(Failure::end("no more values here"));
        }
        let at = self.cursor.next;
        self.cursor.at = Some(at);
        self.cursor.next = match self.nodes.get(at) {
            Some(Node::Branch { end, .. }) => *end,
            _ => at + 1,
        };
        Ok(())
    }

    /// To before the first value inside the one that is looked at.
    pub(crate) fn enter(&mut self) -> Result<(), Failure> {
        let (at, _, end) = self.branch()?;
        self.cursor.entered.push((at, self.cursor.end));
        self.cursor.at = None;
        self.cursor.next = at + 1;
        self.cursor.end = end;
        Ok(())
    }

    /// Back to the value that was entered last.
    pub(crate) fn exit(&mut self) -> Result<(), Failure> {
        let Some((at, outer_end)) = self.cursor.entered.pop() else {
            return Err(Failure::new(Status::FERRION_STATE, "nothing was entered"));
        };
        self.cursor.at = Some(at);
        self.cursor.next = self.cursor.end;
        self.cursor.end = outer_end;
        Ok(())
    }

    /// The type of the value that is looked at.
    #[inline]
    pub(crate) fn type_of(&self) -> Result<Type, Failure> {
        Ok(match self.current()? {
            Node::Leaf(value) => value.type_of(),
            Node::Branch { kind, .. } => kind.type_of(),
        })
    }

    /// The value that is looked at, if it is of this type.
    #[inline]
    pub(crate) fn leaf(&self, wanted: Type) -> Result<&Value, Failure> {
        match self.current()? {
            Node::Leaf(value) if value.type_of() == wanted => Ok(value),
            _ => Err(self.not_a(wanted)),
        }
    }

    /// The value that is looked at, if it holds no others.
    #[inline]
    pub(crate) fn any_leaf(&self) -> Result<&Value, Failure> {
        match self.current()? {
            Node::Leaf(value) => Ok(value),
            Node::Branch { .. } => Err(self.wrong_type("and holds other values: enter it")),
        }
    }

    /// What the value that is looked at holds: its kind and how many.
    pub(crate) fn inside(&self) -> Result<(Branch, usize), Failure> {
        match self.current()? {
            Node::Branch { kind, count, .. } => Ok((*kind, *count)),
            Node::Leaf(_) => Err(self.wrong_type("and holds no other values")),
        }
    }

    /// Keeps octets so that C can look at them until the next call.
    pub(crate) fn lend(&mut self, octets: Vec<u8>) -> &[u8] {
        self.lent = octets;
        &self.lent
    }

    fn branch(&self) -> Result<(usize, usize, usize), Failure> {
        match (self.cursor.at, self.current()?) {
            (Some(at), Node::Branch { count, end, .. }) => Ok((at, *count, *end)),
            _ => Err(self.wrong_type("and holds no other values")),
        }
    }

    #[inline]
    fn current(&self) -> Result<&Node, Failure> {
        let node = self.cursor.at.and_then(|at| self.nodes.get(at));
        node.ok_or_else(nothing_looked_at)
    }

    #[cold]
    #[inline(never)]
    fn not_a(&self, wanted: Type) -> Failure {
        self.wrong_type(&format!("not a {wanted:?}"))
    }

    /// The value that is looked at has another type than it should; `but` ends the sentence that says so.
    #[cold]
    pub(crate) fn wrong_type(&self, but: &str) -> Failure {
        match self.type_of() {
            Ok(found) => Failure::new(
                Status::FERRION_WRONG_TYPE,
                format!("the value is a {found:?}, {but}"),
            ),
            Err(failure) => failure,
        }
    }
}

#[cold]
#[inline(never)]
fn nothing_looked_at() -> Failure {
    Failure::new(
        Status::FERRION_STATE,
        "no value is looked at: step to one with next",
    )
}

/// Where whole values come from and go to, without keeping what was there.
impl Tape {
    /// Makes these the values.
    pub(crate) fn fill(&mut self, values: impl IntoIterator<Item = Value>) {
        self.empty();
        for value in values {
            self.push_own(value);
        }
        self.rewind();
    }

    /// Makes this the value, which holds no others.
    #[inline(always)]
    pub(crate) fn fill_one(&mut self, leaf: Value) {
        self.empty();
        self.nodes.push(Node::Leaf(leaf));
        self.rewind();
    }

    /// Makes a copy of this the value.
    pub(crate) fn fill_from(&mut self, value: &Value) {
        self.empty();
        self.push_tree(value);
        self.rewind();
    }

    /// Makes a copy of this the value.
    pub(crate) fn fill_from_map(&mut self, map: &Map) {
        self.empty();
        self.push_map(map);
        self.rewind();
    }
}
