use std::borrow::Cow;

use super::{Ensure, Field, Limits, Schema, Shape, ValueType};

/// What a description of a schema contains, so that the prompt explains that and no more.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Marks {
    /// A `<type>` stands for a value.
    pub(crate) placeholder: bool,
    /// A `//` comment.
    pub(crate) comment: bool,
    /// `...` after the shape of a list's item.
    pub(crate) list: bool,
    /// `...` in an open object or list.
    pub(crate) open: bool,
    /// `required` in a comment.
    pub(crate) required: bool,
    /// `not empty` in a comment.
    pub(crate) not_empty: bool,
    /// `<"a" | "b">` stands for one of several texts.
    pub(crate) choice: bool,
    /// `<name>` stands for the name of a field.
    pub(crate) values: bool,
    /// Limits in a comment.
    pub(crate) limits: bool,
}

impl Marks {
    /// What another description contains besides.
    pub(crate) fn add(&mut self, other: Self) {
        self.placeholder |= other.placeholder;
        self.comment |= other.comment;
        self.list |= other.list;
        self.open |= other.open;
        self.required |= other.required;
        self.not_empty |= other.not_empty;
        self.choice |= other.choice;
        self.values |= other.values;
        self.limits |= other.limits;
    }
}

impl Schema {
    /// The schema as a model reads it: like JSON, a type in the place of each value, descriptions
    /// and requirements as comments.
    ///
    /// ```
    /// use agently_core::output;
    ///
    /// let schema = output!({ "title": (str, "Title", true), "items": [(str, "Bullet point")] });
    /// assert_eq!(
    ///     schema.to_prompt_text(),
    ///     r#"{
    ///   "title": <string>, // Title (required)
    ///   "items": [
    ///     <string>, // Bullet point
    ///     ...
    ///   ]
    /// }"#
    /// );
    /// ```
    #[must_use]
    pub fn to_prompt_text(&self) -> String {
        self.describe().0
    }

    /// The description of a value of this shape alone, without a word about what it is for.
    pub(crate) fn describe_shape(&self) -> (String, Marks) {
        let mut writer = Writer::default();
        writer.scalar(self);
        (writer.text, writer.marks)
    }

    pub(crate) fn describe(&self) -> (String, Marks) {
        let mut writer = Writer::default();
        writer.comment_above(self, 0);
        writer.value(self, 0, "");
        (writer.text, writer.marks)
    }
}

impl Schema {
    /// What is required of it, and its limits, in words.
    pub(crate) fn notes(&self, marks: &mut Marks) -> Vec<String> {
        let words = self.limits().map(Limits::words).unwrap_or_default();
        let required = self.is_required();
        let not_null = required && self.ensure() == Ensure::NotNull;
        marks.required |= required;
        marks.not_empty |= not_null || self.limits().is_some_and(|limits| limits.not_empty);
        marks.limits |= !words.is_empty();
        let mut notes = Vec::new();
        if required {
            notes.push("required".to_owned());
        }
        if not_null {
            notes.push("not empty".to_owned());
        }
        for word in words {
            if !notes.contains(&word) {
                notes.push(word);
            }
        }
        notes
    }

    /// The description, and a line for each choice that is explained.
    pub(crate) fn full_description(&self) -> Option<Cow<'_, str>> {
        let own = self.description().map(str::trim);
        let choices = self.limits().map(|limits| &*limits.one_of);
        let mut explained = String::new();
        for choice in choices.unwrap_or_default() {
            if let Some(description) = &choice.description {
                let value = quoted(&choice.value);
                // The explanation of a choice is one line, however it was written.
                let words: Vec<&str> = description.split_whitespace().collect();
                explained.push_str(&format!("\n- {value}: {}", words.join(" ")));
            }
        }
        if explained.is_empty() {
            return own.map(Cow::Borrowed);
        }
        Some(Cow::Owned(match own {
            Some(own) => format!("{own}{explained}"),
            None => format!("One of:{explained}"),
        }))
    }
}

#[derive(Default)]
struct Writer {
    text: String,
    marks: Marks,
}

impl Writer {
    fn indent(&mut self, depth: usize) {
        for _ in 0..depth {
            self.text.push_str("  ");
        }
    }

    /// A description of several lines stands above its field, where it breaks no line in two.
    fn comment_above(&mut self, schema: &Schema, depth: usize) {
        let Some(description) = schema.full_description().filter(|text| is_long(text)) else {
            return;
        };
        self.marks.comment = true;
        for line in description.lines() {
            self.indent(depth);
            let line = format!("// {line}");
            self.text.push_str(line.trim_end());
            self.text.push('\n');
        }
    }

    /// The comment behind a value: a short description and what is required.
    fn comment_behind(&mut self, schema: &Schema) {
        let description = schema.full_description().filter(|text| !is_long(text));
        let notes = schema.notes(&mut self.marks).join(", ");
        let comment = match (description, notes.is_empty()) {
            (Some(description), false) => format!("{description} ({notes})"),
            (Some(description), true) => description.into_owned(),
            (None, false) => notes,
            (None, true) => return,
        };
        self.marks.comment = true;
        self.text.push_str(" // ");
        self.text.push_str(&comment);
    }

    /// Writes the value with its comments, but neither its indentation nor its line end. `comma`
    /// is what separates it from the next one.
    fn value(&mut self, schema: &Schema, depth: usize, comma: &str) {
        match schema.shape() {
            Shape::Object(fields) if !fields.is_empty() => {
                self.text.push('{');
                self.comment_behind(schema);
                self.text.push('\n');
                self.fields(fields, depth + 1);
                self.indent(depth);
                self.text.push('}');
                self.text.push_str(comma);
            }
            Shape::Object(_) if schema.values().is_some() => {
                self.text.push('{');
                self.comment_behind(schema);
                self.text.push('\n');
                if let Some(values) = schema.values() {
                    self.comment_above(values, depth + 1);
                    self.indent(depth + 1);
                    self.text.push_str("<name>: ");
                    self.value(values, depth + 1, ",");
                    self.text.push('\n');
                }
                self.indent(depth + 1);
                self.text.push_str("...\n");
                self.marks.placeholder = true;
                self.marks.values = true;
                self.indent(depth);
                self.text.push('}');
                self.text.push_str(comma);
            }
            Shape::List(Some(item)) => {
                self.text.push('[');
                self.comment_behind(schema);
                self.text.push('\n');
                self.comment_above(item, depth + 1);
                self.indent(depth + 1);
                self.value(item, depth + 1, ",");
                self.text.push('\n');
                self.indent(depth + 1);
                self.text.push_str("...\n");
                self.marks.list = true;
                self.indent(depth);
                self.text.push(']');
                self.text.push_str(comma);
            }
            _ => {
                self.scalar(schema);
                self.text.push_str(comma);
                self.comment_behind(schema);
            }
        }
    }

    fn fields(&mut self, fields: &[Field], depth: usize) {
        for (position, field) in fields.iter().enumerate() {
            let comma = if position + 1 < fields.len() { "," } else { "" };
            self.comment_above(field.schema(), depth);
            self.indent(depth);
            self.text.push_str(&quoted(field.name()));
            self.text.push_str(": ");
            self.value(field.schema(), depth, comma);
            self.text.push('\n');
        }
    }

    fn scalar(&mut self, schema: &Schema) {
        if let Some(limits) = schema.limits().filter(|limits| !limits.one_of.is_empty()) {
            self.marks.choice = true;
            return self.text.push_str(&format!("<{}>", limits.choices(" | ")));
        }
        let name = match schema.shape() {
            Shape::Object(_) => {
                self.marks.open = true;
                return self.text.push_str("{ ... }");
            }
            Shape::List(_) => {
                self.marks.open = true;
                return self.text.push_str("[ ... ]");
            }
            Shape::Leaf(value_type) => match value_type {
                ValueType::Null => return self.text.push_str("null"),
                ValueType::Str => "string",
                ValueType::Int => "integer",
                ValueType::Float | ValueType::Number => "number",
                ValueType::Bool => "boolean",
                ValueType::Any => "any JSON value",
                ValueType::Custom(name) => name,
            },
        };
        self.marks.placeholder = true;
        self.text.push('<');
        self.text.push_str(name);
        self.text.push('>');
    }
}

/// Whether it has more than one line.
pub(crate) fn is_long(description: &str) -> bool {
    description.lines().nth(1).is_some()
}

/// A key as it stands in JSON.
fn quoted(key: &str) -> String {
    serde_json::Value::from(key).to_string()
}
