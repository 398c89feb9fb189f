//! From the events of a YAML parser to data.

use std::borrow::Cow;
use std::collections::BTreeMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle};
use serde_json::{Map, Number, Value};

use super::{Notation, NotationError};

const MAX_DEPTH: usize = 64;
const MAX_ALIASES: usize = 1_000;
/// How much all aliases together may stand for: values, and bytes of their texts.
const MAX_EXPANSION: usize = 4 << 20;

type Result<T> = std::result::Result<T, NotationError>;

pub(super) fn read(text: &str) -> Result<Value> {
    let mut composer = Composer::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| fault(*error.marker(), error.info()))?;
        composer.take(event, span.start)?;
    }
    Ok(composer.root.unwrap_or(Value::Null))
}

/// Columns count from 0 in the parser, and from 1 for people.
fn fault(at: Marker, message: impl Into<String>) -> NotationError {
    NotationError::new(Notation::Yaml, Some((at.line(), at.col() + 1)), message)
}

/// A value and how much it holds.
#[derive(Clone)]
struct Sized {
    value: Value,
    size: usize,
}

#[derive(Default)]
struct Composer {
    open: Vec<Open>,
    root: Option<Value>,
    anchors: BTreeMap<usize, Sized>,
    aliases: usize,
    expanded: usize,
}

/// A list or mapping that has not ended.
struct Open {
    kind: Kind,
    anchor: usize,
    size: usize,
}

enum Kind {
    List(Vec<Value>),
    /// The fields so far, and the key that waits for its value.
    Mapping(Map<String, Value>, Option<String>),
}

impl Composer {
    fn take(&mut self, event: Event<'_>, at: Marker) -> Result<()> {
        let tag = match &event {
            Event::Scalar(_, _, _, tag)
            | Event::SequenceStart(_, tag)
            | Event::MappingStart(_, tag) => tag.is_some(),
            _ => false,
        };
        if tag {
            return Err(fault(
                at,
                "tags (`!name`) are not read; write the value alone",
            ));
        }
        match event {
            Event::Scalar(text, style, anchor, _) => {
                if self.wants_key() {
                    return self.key(text, style, at);
                }
                let size = text.len() + 1;
                let value = scalar(text, style, at)?;
                self.value(Sized { value, size }, anchor, at)
            }
            Event::SequenceStart(anchor, _) => self.begin(Kind::List(Vec::new()), anchor, at),
            Event::MappingStart(anchor, _) => {
                self.begin(Kind::Mapping(Map::new(), None), anchor, at)
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(at),
            Event::Alias(anchor) => self.alias(anchor, at),
            Event::DocumentStart(_) if self.root.is_some() => Err(fault(
                at,
                "there is a second document; one file holds one document",
            )),
            _ => Ok(()),
        }
    }

    fn wants_key(&self) -> bool {
        matches!(
            self.open.last(),
            Some(Open {
                kind: Kind::Mapping(_, None),
                ..
            })
        )
    }

    fn key(&mut self, text: Cow<'_, str>, style: ScalarStyle, at: Marker) -> Result<()> {
        if style == ScalarStyle::Plain && text == "<<" {
            return Err(fault(
                at,
                "merge keys (`<<`) are not read; write the fields out",
            ));
        }
        if let Some(Open {
            kind: Kind::Mapping(fields, key),
            size,
            ..
        }) = self.open.last_mut()
        {
            if fields.contains_key(&*text) {
                return Err(fault(at, "this key was given before in the same mapping"));
            }
            *size += text.len();
            *key = Some(text.into_owned());
        }
        Ok(())
    }

    fn begin(&mut self, kind: Kind, anchor: usize, at: Marker) -> Result<()> {
        if self.wants_key() {
            return Err(fault(at, "a key must be a text, not a list or a mapping"));
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(fault(
                at,
                format!("this is more than {MAX_DEPTH} levels deep"),
            ));
        }
        self.open.push(Open {
            kind,
            anchor,
            size: 1,
        });
        Ok(())
    }

    fn end(&mut self, at: Marker) -> Result<()> {
        let Some(Open { kind, anchor, size }) = self.open.pop() else {
            return Ok(());
        };
        let value = match kind {
            Kind::List(items) => Value::Array(items),
            Kind::Mapping(fields, _) => Value::Object(fields),
        };
        self.value(Sized { value, size }, anchor, at)
    }

    fn alias(&mut self, anchor: usize, at: Marker) -> Result<()> {
        if self.wants_key() {
            return Err(fault(at, "a key cannot be an alias; write it out"));
        }
        let Some(target) = self.anchors.get(&anchor) else {
            return Err(fault(
                at,
                "this alias stands inside the value it stands for",
            ));
        };
        self.aliases += 1;
        self.expanded += target.size;
        if self.aliases > MAX_ALIASES || self.expanded > MAX_EXPANSION {
            return Err(fault(
                at,
                "the aliases stand for too much; write less with them",
            ));
        }
        let target = target.clone();
        let depth = self.open.len() + depth(&target.value);
        if depth > MAX_DEPTH {
            return Err(fault(
                at,
                format!("this is more than {MAX_DEPTH} levels deep"),
            ));
        }
        self.value(target, 0, at)
    }

    /// A value is whole: it goes to where it belongs.
    fn value(&mut self, sized: Sized, anchor: usize, _at: Marker) -> Result<()> {
        if anchor != 0 {
            self.anchors.insert(anchor, sized.clone());
        }
        let Sized { value, size } = sized;
        let Some(open) = self.open.last_mut() else {
            self.root = Some(value);
            return Ok(());
        };
        open.size += size;
        match &mut open.kind {
            Kind::List(items) => items.push(value),
            Kind::Mapping(fields, key) => {
                if let Some(key) = key.take() {
                    fields.insert(key, value);
                }
            }
        }
        Ok(())
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// What a scalar means in YAML's core schema. `no`, `on` and `12:30` are texts there.
fn scalar(text: Cow<'_, str>, style: ScalarStyle, at: Marker) -> Result<Value> {
    if style != ScalarStyle::Plain {
        return Ok(Value::String(text.into_owned()));
    }
    Ok(match &*text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        plain => match number(plain, at)? {
            Some(number) => Value::Number(number),
            None => Value::String(text.into_owned()),
        },
    })
}

fn number(text: &str, at: Marker) -> Result<Option<Number>> {
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix) {
            let number = digits
                .bytes()
                .all(|digit| digit.is_ascii_alphanumeric())
                .then(|| u64::from_str_radix(digits, radix).ok());
            return Ok(number.flatten().map(Number::from));
        }
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Err(fault(at, "infinity and not-a-number are not read"));
    }
    let numeric = unsigned
        .bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'))
        && unsigned
            .trim_start_matches('.')
            .starts_with(|first: char| first.is_ascii_digit());
    if !numeric {
        return Ok(None);
    }
    let text = text.strip_prefix('+').unwrap_or(text);
    if let Ok(number) = text.parse::<u64>() {
        return Ok(Some(number.into()));
    }
    if let Ok(number) = text.parse::<i64>() {
        return Ok(Some(number.into()));
    }
    match text.parse::<f64>() {
        Ok(number) => Number::from_f64(number)
            .map(Some)
            .ok_or_else(|| fault(at, "this number is too large")),
        // A date, a version, an address: a text.
        Err(_) => Ok(None),
    }
}
