//! Paths into the state: `user.name`, `items[0].title`.

use std::fmt;

use serde_json::{Map, Value};

use crate::error::{Error, ErrorKind, Result};

/// A parsed path. The empty one is the whole state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct StatePath(Vec<Step>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
}

impl StatePath {
    pub(crate) fn parse(text: &str) -> Result<Self> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let fault = |what: &str| {
            Error::new(
                ErrorKind::StatePath,
                format!("`{text}` is no state path: {what}; write it as `user.name` or `items[0]`"),
            )
        };
        let mut steps = Vec::new();
        for (position, part) in text.split('.').enumerate() {
            let (key, mut rest) = match part.find('[') {
                Some(at) => part.split_at(at),
                None => (part, ""),
            };
            if key.is_empty() && (position > 0 || rest.is_empty()) {
                return Err(fault("a name is missing"));
            }
            if !key.is_empty() {
                steps.push(Step::Key(key.to_owned()));
            }
            while let Some(after) = rest.strip_prefix('[') {
                let (index, after) = after
                    .split_once(']')
                    .ok_or_else(|| fault("a `[` is not closed"))?;
                let index = index
                    .parse()
                    .map_err(|_| fault("between `[` and `]` there is no position"))?;
                steps.push(Step::Index(index));
                rest = after;
            }
            if !rest.is_empty() {
                return Err(fault("there is something behind a `]`"));
            }
        }
        Ok(Self(steps))
    }

    pub(crate) fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// What `inner` is below `self`; `None` if it is not below it.
    pub(crate) fn below(&self, inner: &Self) -> Option<Self> {
        inner
            .0
            .strip_prefix(self.0.as_slice())
            .map(|rest| Self(rest.to_vec()))
    }

    /// The value at this path.
    pub(crate) fn get<'v>(&self, mut value: &'v Value) -> Option<&'v Value> {
        for step in &self.0 {
            value = match step {
                Step::Key(key) => value.as_object()?.get(key)?,
                Step::Index(index) => value.as_array()?.get(*index)?,
            };
        }
        Some(value)
    }

    /// The place at this path, with the objects on the way made.
    fn place<'v>(&self, root: &'v mut Value) -> Result<&'v mut Value> {
        let mut value = root;
        for (depth, step) in self.0.iter().enumerate() {
            value = match step {
                Step::Key(key) => {
                    if value.is_null() {
                        *value = Value::Object(Map::new());
                    }
                    let kind = kind_of(value);
                    value
                        .as_object_mut()
                        .ok_or_else(|| self.blocked(depth, kind, "an object"))?
                        .entry(key.as_str())
                        .or_insert(Value::Null)
                }
                Step::Index(index) => {
                    let kind = kind_of(value);
                    let list = value
                        .as_array_mut()
                        .ok_or_else(|| self.blocked(depth, kind, "a list"))?;
                    if *index == list.len() {
                        list.push(Value::Null);
                    }
                    let length = list.len();
                    list.get_mut(*index).ok_or_else(|| {
                        Error::new(
                            ErrorKind::StatePath,
                            format!(
                                "state path `{self}` cannot be written: the list at `{}` has {length} \
                                 items; the next free position is {length}",
                                Self(self.0.iter().take(depth).cloned().collect()),
                            ),
                        )
                    })?
                }
            };
        }
        Ok(value)
    }

    /// Whether a write here would go through something that is no container.
    fn check(&self, root: &Value) -> Result<()> {
        let mut value = root;
        for (depth, step) in self.0.iter().enumerate() {
            let next = match (step, value) {
                (_, Value::Null) if matches!(step, Step::Key(_)) => return self.check_rest(depth),
                (Step::Key(key), Value::Object(map)) => map.get(key),
                (Step::Key(_), other) => {
                    return Err(self.blocked(depth, kind_of(other), "an object"))
                }
                (Step::Index(index), Value::Array(list)) if *index <= list.len() => {
                    list.get(*index)
                }
                (Step::Index(_), Value::Array(list)) => {
                    return Err(Error::new(
                        ErrorKind::StatePath,
                        format!(
                        "state path `{self}` cannot be written: the list there has {} items, and \
                             only the next free position can be added",
                        list.len()
                    ),
                    ))
                }
                (Step::Index(_), other) => {
                    return Err(self.blocked(depth, kind_of(other), "a list"))
                }
            };
            match next {
                Some(inner) => value = inner,
                None => return self.check_rest(depth + 1),
            }
        }
        Ok(())
    }

    /// Below what is not there yet, only objects are made.
    fn check_rest(&self, from: usize) -> Result<()> {
        for (depth, step) in self.0.iter().enumerate().skip(from) {
            if matches!(step, Step::Index(_)) {
                return Err(self.blocked(depth, "nothing", "a list"));
            }
        }
        Ok(())
    }

    fn blocked(&self, depth: usize, found: &str, wanted: &str) -> Error {
        let at = Self(self.0.iter().take(depth).cloned().collect());
        Error::new(
            ErrorKind::StatePath,
            format!(
                "state path `{self}` cannot be written: at `{at}` there is {found}, not {wanted}"
            ),
        )
    }

    /// Puts `value` here.
    pub(crate) fn set(&self, root: &mut Value, value: Value) -> Result<()> {
        if self.is_root() && !value.is_object() {
            return Err(Error::new(
                ErrorKind::StatePath,
                format!("the whole state must be an object, not {}", kind_of(&value)),
            ));
        }
        self.check(root)?;
        *self.place(root)? = value;
        Ok(())
    }

    /// Adds `value` to the list here.
    pub(crate) fn append(&self, root: &mut Value, value: Value) -> Result<()> {
        match self.get(root) {
            None | Some(Value::Null | Value::Array(_)) if !self.is_root() => {}
            other => {
                return Err(Error::new(
                    ErrorKind::StatePath,
                    format!(
                        "nothing can be appended at `{self}`: there is {}, not a list",
                        other.map_or("nothing", kind_of)
                    ),
                ))
            }
        }
        self.check(root)?;
        match self.place(root)? {
            Value::Array(list) => list.push(value),
            place => *place = Value::Array(vec![value]),
        }
        Ok(())
    }

    /// Takes away what is here; `false` if there was nothing.
    pub(crate) fn remove(&self, root: &mut Value) -> bool {
        let Some((last, parents)) = self.0.split_last() else {
            let empty = root.as_object().is_none_or(Map::is_empty);
            *root = Value::Object(Map::new());
            return !empty;
        };
        let mut value = root;
        for step in parents {
            let inner = match step {
                Step::Key(key) => value.as_object_mut().and_then(|map| map.get_mut(key)),
                Step::Index(index) => value.as_array_mut().and_then(|list| list.get_mut(*index)),
            };
            match inner {
                Some(inner) => value = inner,
                None => return false,
            }
        }
        match (last, value) {
            (Step::Key(key), Value::Object(map)) => map.shift_remove(key).is_some(),
            (Step::Index(index), Value::Array(list)) if *index < list.len() => {
                list.remove(*index);
                true
            }
            _ => false,
        }
    }
}

impl fmt::Display for StatePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if position > 0 => write!(f, ".{key}")?,
                Step::Key(key) => f.write_str(key)?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// A value's kind in words.
pub(crate) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
