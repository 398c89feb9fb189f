//! What the prompt says about the form of the answer.

use super::yaml::{BEGIN, END};
use super::Format;
use crate::schema::{is_long, Field, Marks, Schema, Shape, ValueType};

/// What the answer must be like, in a format that fits the schema.
///
/// It does not end with a heading that the model could repeat before its answer, because the
/// answer's document is looked for from its first line.
pub(crate) fn requirement(schema: &Schema, format: Format) -> String {
    let (structure, marks) = match format {
        Format::Json | Format::Auto => schema.describe(),
        Format::Hybrid | Format::FlatMarkdown => sections(schema),
        Format::XmlField => elements(schema),
        Format::YamlLiteral => yaml(schema),
    };
    let name = match format {
        Format::Json | Format::Auto => "JSON",
        Format::Hybrid | Format::FlatMarkdown => "Markdown, one section for each field",
        Format::XmlField => "one element for each field",
        Format::YamlLiteral => "YAML",
    };
    let mut text = format!("Data Format: {name}\nData Structure:\n{structure}\n");
    if matches!(format, Format::Hybrid | Format::FlatMarkdown) {
        // What follows is no part of the last section.
        text.push('\n');
    }
    let rules = rules(schema, format, marks);
    if !rules.is_empty() {
        text.push_str("Rules:\n");
        for rule in rules {
            text.push_str("- ");
            text.push_str(&rule);
            text.push('\n');
        }
    }
    text.push_str(&ending(schema, format));
    text
}

fn ending(schema: &Schema, format: Format) -> String {
    match format {
        Format::Json | Format::Auto => {
            let root = match schema.shape() {
                Shape::Object(_) => "object",
                Shape::List(_) => "list",
                Shape::Leaf(_) => "value",
            };
            format!(
                "Answer with this one JSON {root} and nothing else: no other text, no code fence."
            )
        }
        Format::Hybrid | Format::FlatMarkdown => {
            "Answer with these sections and nothing else: no text before the first header, and no \
             code fence around the whole."
                .to_owned()
        }
        Format::XmlField => {
            "Answer with this one `<agently_output>` element and nothing else: no other text, no \
             code fence."
                .to_owned()
        }
        Format::YamlLiteral => format!(
            "Answer with this one YAML document between the lines `{BEGIN}` and `{END}` and \
             nothing else: no other text, no code fence."
        ),
    }
}

/// Explains what stands in the description of this schema, and nothing more.
fn rules(schema: &Schema, format: Format, marks: Marks) -> Vec<String> {
    let fields = || schema.fields().iter().map(Field::schema);
    let texts = fields().any(is_text);
    let values = fields().any(|field| !is_text(field));
    let is_markdown = matches!(format, Format::Hybrid | Format::FlatMarkdown);
    let comment = if format == Format::YamlLiteral {
        "#"
    } else {
        "//"
    };
    let comment = format!("The comments after `{comment}` explain the fields: do not write any.");
    let rules = [
        (
            is_markdown,
            "Begin every section with its header line, exactly as shown, on a line of its own, in \
             this order.",
        ),
        (
            format == Format::XmlField,
            "Write every element with its tags exactly as shown, in this order.",
        ),
        (
            schema.has_fields() && !is_markdown && format != Format::XmlField,
            "Write every field under exactly its name, in this order.",
        ),
        (
            is_markdown && texts,
            "Under a header with `[text]`, write the text itself, as it should be read: Markdown \
             is fine, quotes and code fences around it are not.",
        ),
        (
            is_markdown && values,
            "Under a header with `[JSON]`, write one fenced block with the value as valid JSON.",
        ),
        (
            format == Format::XmlField && texts,
            "In an element of type text, write the text itself, as it should be read: escape \
             nothing, quote nothing.",
        ),
        (
            format == Format::XmlField && values,
            "In an element of type json, write the value as valid JSON.",
        ),
        (
            format == Format::YamlLiteral,
            "Write a text where `|-` stands as a literal block: every line of it on a line of its \
             own, indented by two blanks more than its key, without quotes or escapes.",
        ),
        (
            format == Format::YamlLiteral,
            "Put any other text in double quotes. Do not use anchors, aliases or tags.",
        ),
        (
            marks.placeholder,
            "`<…>` names the type of a value: write the value in its place.",
        ),
        (
            marks.choice,
            "`<\"a\" | \"b\">` lists all values that are allowed: write one of them.",
        ),
        (
            marks.values,
            "`<name>` names a field: as many fields of the same shape as it takes, with names of \
             your choice.",
        ),
        (
            marks.list,
            "`...` after the first item of a list: as many items of the same shape as it takes.",
        ),
        (
            marks.open,
            "`{ ... }` and `[ ... ]` are yours to fill as the task needs.",
        ),
        (
            marks.required && !marks.not_empty,
            "A field marked as required must be there.",
        ),
        (
            marks.not_empty && !marks.required,
            "A field marked as not empty must have content.",
        ),
        (
            marks.not_empty && marks.required,
            "A field marked as required must be there; one marked as not empty must also have \
             content.",
        ),
        (
            marks.limits,
            "Keep within the limits in the comments: an answer that breaks one is refused.",
        ),
        (marks.comment, comment.as_str()),
    ];
    rules
        .into_iter()
        .filter(|(applies, _)| *applies)
        .map(|(_, rule)| rule.to_owned())
        .collect()
}

fn is_text(schema: &Schema) -> bool {
    matches!(schema.shape(), Shape::Leaf(ValueType::Str))
}

/// A header and a body for each field.
fn sections(schema: &Schema) -> (String, Marks) {
    let mut marks = Marks::default();
    let sections = schema.fields().iter().map(|field| {
        let body = describe(field, &mut marks);
        if is_text(field.schema()) {
            format!("### {} [text]\n{body}", field.name())
        } else {
            format!("### {} [JSON]\n```json\n{body}\n```", field.name())
        }
    });
    (sections.collect::<Vec<_>>().join("\n\n"), marks)
}

/// An element for each field.
fn elements(schema: &Schema) -> (String, Marks) {
    let mut marks = Marks::default();
    let mut text = "<agently_output>\n".to_owned();
    for field in schema.fields() {
        let body = describe(field, &mut marks);
        let kind = if is_text(field.schema()) {
            "text"
        } else {
            "json"
        };
        let name = field.name();
        text.push_str(&format!(
            "<field name=\"{name}\" type=\"{kind}\">\n{body}\n</field>\n"
        ));
    }
    text.push_str("</agently_output>");
    (text, marks)
}

fn describe(field: &Field, marks: &mut Marks) -> String {
    let (body, own) = field.schema().describe();
    marks.add(own);
    body
}

fn yaml(schema: &Schema) -> (String, Marks) {
    let mut writer = Yaml::default();
    writer.text.push_str(BEGIN);
    writer.text.push('\n');
    if schema.fields().is_empty() {
        writer.marks.open = true;
        writer.text.push_str("{ ... }\n");
    }
    writer.fields(schema.fields(), 0);
    writer.text.push_str(END);
    (writer.text, writer.marks)
}

/// Writes the shape of a YAML document.
#[derive(Default)]
struct Yaml {
    text: String,
    marks: Marks,
}

impl Yaml {
    fn fields(&mut self, fields: &[Field], depth: usize) {
        for field in fields {
            self.comment_above(field.schema(), depth);
            self.indent(depth);
            self.text.push_str(&key(field.name()));
            self.text.push(':');
            self.value(field.schema(), depth);
        }
    }

    fn indent(&mut self, depth: usize) {
        self.text.push_str(&"  ".repeat(depth));
    }

    /// Behind `key:` or `-`, to the end of the line and of what is nested below.
    fn value(&mut self, schema: &Schema, depth: usize) {
        match schema.shape() {
            Shape::Object(fields) if !fields.is_empty() => {
                self.comment_behind(schema);
                self.text.push('\n');
                self.fields(fields, depth + 1);
            }
            Shape::Object(_) if schema.values().is_some() => {
                self.comment_behind(schema);
                self.text.push('\n');
                if let Some(values) = schema.values() {
                    self.comment_above(values, depth + 1);
                    self.indent(depth + 1);
                    self.text.push_str("<name>:");
                    self.value(values, depth + 1);
                }
                self.indent(depth + 1);
                self.text.push_str("...\n");
                self.marks.placeholder = true;
                self.marks.values = true;
            }
            Shape::List(Some(item)) => {
                self.comment_behind(schema);
                self.text.push('\n');
                self.comment_above(item, depth + 1);
                self.indent(depth + 1);
                self.text.push('-');
                self.item(item, depth + 1);
                self.indent(depth + 1);
                self.text.push_str("...\n");
                self.marks.list = true;
            }
            Shape::Leaf(ValueType::Str) => {
                self.text.push_str(" |-");
                self.comment_behind(schema);
                self.text.push('\n');
                self.indent(depth + 1);
                self.scalar(schema);
                self.text.push('\n');
            }
            _ => self.inline(schema),
        }
    }

    fn item(&mut self, schema: &Schema, depth: usize) {
        match schema.shape() {
            Shape::Leaf(ValueType::Str) => {
                self.text.push_str(" \"");
                self.scalar(schema);
                self.text.push('"');
                self.comment_behind(schema);
                self.text.push('\n');
            }
            _ => self.value(schema, depth),
        }
    }

    fn inline(&mut self, schema: &Schema) {
        self.text.push(' ');
        self.scalar(schema);
        self.comment_behind(schema);
        self.text.push('\n');
    }

    fn scalar(&mut self, schema: &Schema) {
        let (text, marks) = schema.describe_shape();
        self.marks.add(marks);
        self.text.push_str(&text);
    }

    /// A description of several lines stands above its field.
    fn comment_above(&mut self, schema: &Schema, depth: usize) {
        let Some(description) = schema.full_description().filter(|text| is_long(text)) else {
            return;
        };
        self.marks.comment = true;
        for line in description.lines() {
            self.indent(depth);
            self.text.push_str(format!("# {line}").trim_end());
            self.text.push('\n');
        }
    }

    fn comment_behind(&mut self, schema: &Schema) {
        let description = schema.full_description().filter(|text| !is_long(text));
        let notes = schema.notes(&mut self.marks).join(", ");
        let comment = match (description, notes.is_empty()) {
            (Some(description), false) => format!(" # {description} ({notes})"),
            (Some(only), true) => format!(" # {only}"),
            (None, false) => format!(" # {notes}"),
            (None, true) => return,
        };
        self.marks.comment = true;
        self.text.push_str(&comment);
    }
}

/// A key as it stands in YAML.
fn key(name: &str) -> String {
    let is_plain = name.starts_with(|letter: char| letter.is_alphabetic() || letter == '_')
        && name
            .chars()
            .all(|letter| letter.is_alphanumeric() || matches!(letter, '_' | '-'));
    if is_plain {
        name.to_owned()
    } else {
        serde_json::Value::from(name).to_string()
    }
}
