//! Choosing a format, and what the prompt then says.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod format_support;

use agently_core::format::Format;
use agently_core::output;
use agently_core::prompt::{Prompt, PromptErrorKind, Slot};
use agently_core::Schema;
use format_support::{lawful, schema};
use serde_json::json;

fn prompt(format: Format, schema: Schema) -> String {
    let mut prompt = Prompt::new();
    prompt
        .set_input("Go.")
        .set_output(schema)
        .set_output_format(format);
    prompt.render().unwrap()[0].text().clone()
}

fn mixed() -> Schema {
    output!({
        "title": (str, "Title", true),
        "story": (str, "A long text\nin several lines", "not_null"),
        "tags": [(str, "Tag", true)],
        "meta": { "score": (float, "0 to 1"), "open": {} },
    })
}

#[test]
fn names() {
    for format in [
        Format::Json,
        Format::Hybrid,
        Format::FlatMarkdown,
        Format::XmlField,
        Format::YamlLiteral,
        Format::Auto,
    ] {
        assert_eq!(format.as_str().parse::<Format>().unwrap(), format);
        assert_eq!(format.to_string(), format.as_str());
    }
    assert_eq!("XML-Field".parse::<Format>().unwrap(), Format::XmlField);
    assert_eq!(Format::default(), Format::Json);
    assert_eq!(
        "toml".parse::<Format>().unwrap_err().to_string(),
        "`toml` is no output format; the formats are `json`, `hybrid`, `flat_markdown`, \
         `xml_field`, `yaml_literal`, `auto`"
    );
}

#[test]
fn auto_goes_by_the_schema() {
    for (value, format) in [
        (json!({ "a": ["str"], "b": ["str"] }), Format::XmlField),
        (json!({ "a": ["str"], "b": ["int"] }), Format::Hybrid),
        (json!({ "a": ["str"], "b": [["str"]] }), Format::Hybrid),
        (
            json!({ "a": ["str"], "b": { "c": ["str"] } }),
            Format::Hybrid,
        ),
        (json!({ "a": ["int"], "b": { "c": ["str"] } }), Format::Json),
        (json!({ "a": [["str"]] }), Format::Json),
        (json!({ "a\"b": ["str"] }), Format::Json),
        (json!({}), Format::Json),
        (json!([["str"]]), Format::Json),
        (json!([{ "a": ["str"] }]), Format::Json),
        (json!(["str"]), Format::Json),
    ] {
        assert_eq!(
            Format::Auto.resolve(&schema(value.clone())).unwrap(),
            format,
            "{value}"
        );
    }
}

#[test]
fn a_format_that_does_not_fit_says_why() {
    for (format, value, message) in [
        (
            Format::Hybrid,
            json!([["str"]]),
            "the output format `hybrid` needs an object at the root, but the schema is a JSON list; \
             use `json`, or put it into an object",
        ),
        (
            Format::YamlLiteral,
            json!(["str"]),
            "the output format `yaml_literal` needs an object at the root, but the schema is a JSON \
             value; use `json`, or put it into an object",
        ),
        (
            Format::XmlField,
            json!({}),
            "the output format `xml_field` needs declared fields, but the schema is an open object; \
             use `json`, or declare its fields",
        ),
        (
            Format::FlatMarkdown,
            json!({ "a": ["str"], "n": ["int"] }),
            "the output format `flat_markdown` holds texts only, but the field `n` is none; \
             use `hybrid` or `json`",
        ),
        (
            Format::XmlField,
            json!({ "a<b": ["str"] }),
            "the field `a<b` cannot be marked in the output format `xml_field`; use `json`, or \
             another name",
        ),
        (
            Format::Hybrid,
            json!({ "a\nb": ["str"] }),
            "the field `a\\nb` cannot be marked in the output format `hybrid`; use `json`, or \
             another name",
        ),
    ] {
        let schema = schema(value);
        assert_eq!(format.resolve(&schema).unwrap_err().to_string(), message);
        let mut prompt = Prompt::new();
        prompt
            .set_input("Go.")
            .set_output(schema)
            .set_output_format(format);
        let error = prompt.render().unwrap_err();
        assert_eq!(error.kind(), PromptErrorKind::Format);
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn the_request_says_it_over_the_agent() {
    let mut agent = Prompt::new();
    agent.set_output(mixed()).set_output_format(Format::Hybrid);
    let mut request = Prompt::new();
    assert_eq!(agent.merged(&request).output_format(), Format::Hybrid);
    request.set_output_format(Format::Json);
    assert_eq!(agent.merged(&request).output_format(), Format::Json);
    agent.clear(Slot::Output);
    assert_eq!(agent.output_format(), Format::Json);
}

#[test]
fn json_says_what_it_always_said() {
    let mut plain = Prompt::new();
    plain.set_input("Go.").set_output(mixed());
    assert_eq!(
        plain.render().unwrap()[0].text(),
        prompt(Format::Json, mixed())
    );
}

#[test]
fn hybrid_prompt() {
    insta::assert_snapshot!(prompt(Format::Auto, mixed()), @r##"
[INPUT]:
Go.

[OUTPUT REQUIREMENT]:
Data Format: Markdown, one section for each field
Data Structure:
### title [text]
<string> // Title (required)

### story [text]
// A long text
// in several lines
<string> // required, not empty

### tags [JSON]
```json
[
  <string>, // Tag (required)
  ...
]
```

### meta [JSON]
```json
{
  "score": <number>, // 0 to 1
  "open": { ... }
}
```

Rules:
- Begin every section with its header line, exactly as shown, on a line of its own, in this order.
- Under a header with `[text]`, write the text itself, as it should be read: Markdown is fine, quotes and code fences around it are not.
- Under a header with `[JSON]`, write one fenced block with the value as valid JSON.
- `<…>` names the type of a value: write the value in its place.
- `...` after the first item of a list: as many items of the same shape as it takes.
- `{ ... }` and `[ ... ]` are yours to fill as the task needs.
- A field marked as required must be there; one marked as not empty must also have content.
- The comments after `//` explain the fields: do not write any.
Answer with these sections and nothing else: no text before the first header, and no code fence around the whole.
"##);
}

#[test]
fn flat_markdown_prompt() {
    insta::assert_snapshot!(prompt(Format::FlatMarkdown, output!({ "title": "Title", "body": str })), @r##"
[INPUT]:
Go.

[OUTPUT REQUIREMENT]:
Data Format: Markdown, one section for each field
Data Structure:
### title [text]
<string> // Title

### body [text]
<string>

Rules:
- Begin every section with its header line, exactly as shown, on a line of its own, in this order.
- Under a header with `[text]`, write the text itself, as it should be read: Markdown is fine, quotes and code fences around it are not.
- `<…>` names the type of a value: write the value in its place.
- The comments after `//` explain the fields: do not write any.
Answer with these sections and nothing else: no text before the first header, and no code fence around the whole.
"##);
}

#[test]
fn xml_field_prompt() {
    insta::assert_snapshot!(prompt(Format::XmlField, mixed()), @r##"
[INPUT]:
Go.

[OUTPUT REQUIREMENT]:
Data Format: one element for each field
Data Structure:
<agently_output>
<field name="title" type="text">
<string> // Title (required)
</field>
<field name="story" type="text">
// A long text
// in several lines
<string> // required, not empty
</field>
<field name="tags" type="json">
[
  <string>, // Tag (required)
  ...
]
</field>
<field name="meta" type="json">
{
  "score": <number>, // 0 to 1
  "open": { ... }
}
</field>
</agently_output>
Rules:
- Write every element with its tags exactly as shown, in this order.
- In an element of type text, write the text itself, as it should be read: escape nothing, quote nothing.
- In an element of type json, write the value as valid JSON.
- `<…>` names the type of a value: write the value in its place.
- `...` after the first item of a list: as many items of the same shape as it takes.
- `{ ... }` and `[ ... ]` are yours to fill as the task needs.
- A field marked as required must be there; one marked as not empty must also have content.
- The comments after `//` explain the fields: do not write any.
Answer with this one `<agently_output>` element and nothing else: no other text, no code fence.
"##);
}

#[test]
fn yaml_literal_prompt() {
    insta::assert_snapshot!(prompt(Format::YamlLiteral, output!({
        "title": (str, "Title", true),
        "story": (str, "A long text\nin several lines", "not_null"),
        "tags": [(str, "Tag", true)],
        "parts": [{ "name": (str, "Name"), "n": int }],
        "a key: odd": bool,
        "meta": ({ "score": (float, "0 to 1"), "open": {} }, "What else"),
    })), @r##"
[INPUT]:
Go.

[OUTPUT REQUIREMENT]:
Data Format: YAML
Data Structure:
<<<BEGIN AGENTLY_YAML>>>
title: |- # Title (required)
  <string>
# A long text
# in several lines
story: |- # required, not empty
  <string>
tags:
  - "<string>" # Tag (required)
  ...
parts:
  -
    name: |- # Name
      <string>
    n: <integer>
  ...
"a key: odd": <boolean>
meta: # What else
  score: <number> # 0 to 1
  open: { ... }
<<<END AGENTLY_YAML>>>
Rules:
- Write every field under exactly its name, in this order.
- Write a text where `|-` stands as a literal block: every line of it on a line of its own, indented by two blanks more than its key, without quotes or escapes.
- Put any other text in double quotes. Do not use anchors, aliases or tags.
- `<…>` names the type of a value: write the value in its place.
- `...` after the first item of a list: as many items of the same shape as it takes.
- `{ ... }` and `[ ... ]` are yours to fill as the task needs.
- A field marked as required must be there; one marked as not empty must also have content.
- The comments after `#` explain the fields: do not write any.
Answer with this one YAML document between the lines `<<<BEGIN AGENTLY_YAML>>>` and `<<<END AGENTLY_YAML>>>` and nothing else: no other text, no code fence.
"##);
}

#[test]
fn a_model_that_repeats_the_shape_is_read() {
    // The shape in the prompt is itself an answer of texts, if a poor one.
    let texts = output!({ "title": "Title", "body": str });
    for format in [Format::FlatMarkdown, Format::XmlField, Format::YamlLiteral] {
        let prompt = prompt(format, texts.clone());
        let (_, shape) = prompt.split_once("Data Structure:\n").unwrap();
        let (shape, _) = shape.split_once("\nRules:").unwrap();
        let read = lawful(format, &texts, shape);
        let data = read.data.unwrap();
        assert!(
            data["title"].as_str().unwrap().starts_with("<string>"),
            "{data}"
        );
        assert_eq!(data["body"], "<string>");
        assert_eq!(read.warnings, []);
    }
}
