//! Rule 9: where the document starts.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod instant_support;

use agently_api::data::CompletionSource;
use agently_core::instant::{
    DocumentState, FieldPath, FieldScanner, FieldVisitor, ItemShape, RootShape, ValueRef,
};
use instant_support::run;

/// The document of a text, cut in every way that matters: whole, and character by character.
#[track_caller]
fn document(shape: &RootShape, text: &str) -> Option<String> {
    let whole = run(shape, &[text]);
    let chars: Vec<String> = text.chars().map(String::from).collect();
    let pieces: Vec<&str> = chars.iter().map(String::as_str).collect();
    let cut = run(shape, &pieces);
    assert_eq!(whole.document.range, cut.document.range, "{text}");
    assert_eq!(whole.document.state, cut.document.state, "{text}");
    whole.document.range.map(|range| text[range].to_owned())
}

fn title() -> RootShape {
    RootShape::object(["title", "tags", "中文", "a b"])
}

#[track_caller]
fn assert_document(shape: &RootShape, text: &str, expected: &str) {
    assert_eq!(document(shape, text).as_deref(), Some(expected), "{text}");
}

#[track_caller]
fn assert_none(shape: &RootShape, text: &str) {
    assert_eq!(document(shape, text), None, "{text}");
    let run = run(shape, &[text]);
    assert!(run.lines.is_empty());
    assert_eq!(run.document.state, DocumentState::Missing);
}

#[test]
fn rule_9_blanks_and_a_bom_are_skipped() {
    assert_document(&title(), " \r\n\t{\"x\":1}", "{\"x\":1}");
    assert_document(&title(), "\u{feff}{\"x\":1}", "{\"x\":1}");
    assert_document(&title(), "\n\u{feff} {\"x\":1}", "{\"x\":1}");
}

#[test]
fn rule_9_a_fence_line_is_skipped() {
    for fence in [
        "```\n",
        "```json\n",
        "```JSON\r\n",
        "~~~\n",
        "~~~json\r\n",
        "``` json \n",
        "````json\n",
        " ```json\n",
        "\u{feff}```json\n",
    ] {
        assert_document(&title(), &format!("{fence}{{\"x\":1}}\n```"), "{\"x\":1}");
    }
}

#[test]
fn rule_9_prose_is_skipped() {
    assert_document(
        &title(),
        "Here it is: {\"title\":1} Bye {you}.",
        "{\"title\":1}",
    );
}

#[test]
fn rule_9_an_object_at_the_start_is_the_document_whatever_its_key() {
    assert_document(&title(), "{\"other\":1} {\"title\":2}", "{\"other\":1}");
    assert_document(&title(), "{}", "{}");
    assert_document(
        &RootShape::list(ItemShape::STRING),
        "{\"a\":1}",
        "{\"a\":1}",
    );
    assert_document(&RootShape::Open, "{\"a\":1}", "{\"a\":1}");
}

#[test]
fn rule_9_a_list_at_the_start_is_the_document_if_the_root_is_one() {
    let numbers = RootShape::list(ItemShape::NUMBER);
    assert_document(&numbers, "[1]", "[1]");
    assert_document(&numbers, "```\n[\"x\"]", "[\"x\"]");
}

#[test]
fn rule_9_a_list_at_the_start_is_the_document_if_the_model_wrapped_it() {
    assert_document(&title(), "[{\"x\":1}]", "[{\"x\":1}]");
    assert_document(&title(), "[ \r\n\t[1]]", "[ \r\n\t[1]]");
    assert_document(&RootShape::Open, "[{}]", "[{}]");
    assert_none(&title(), "[1]");
    assert_none(&title(), "[");
    assert_document(&title(), "[Note] as asked: {\"title\":1}", "{\"title\":1}");
}

#[test]
fn rule_9_the_first_bracket_inside_a_fence_is_the_document() {
    for fence in [
        "```json\n",
        "~~~\r\n",
        "```\n",
        "```Json \r\n",
        "  ~~~json\n",
    ] {
        assert_document(&title(), &format!("See:\n{fence}{{\"x\":1}}"), "{\"x\":1}");
        assert_document(&title(), &format!("See:\n{fence}\n [1]\n"), "[1]");
        let list = RootShape::list(ItemShape::STRING);
        assert_document(&list, &format!("See:\n{fence}{{\"x\":1}}"), "{\"x\":1}");
    }
}

#[test]
fn rule_9_a_fence_starts_its_line() {
    assert_none(&title(), "See ```json\n{\"x\":1}");
    assert_none(&title(), "See:\n- ```json\n{\"x\":1}");
    assert_none(&title(), "See:\n``json\n{\"x\":1}");
    assert_none(&title(), "See:\n```json {\"x\":1}\n```");
    assert_document(
        &title(),
        "See:\n```json {\"title\":1}\n```",
        "{\"title\":1}",
    );
}

#[test]
fn rule_9_a_fence_with_another_label_is_prose() {
    assert_none(&title(), "```python\n{\"x\":1}\n```");
    assert_document(&title(), "```python\n{\"title\":1}\n```", "{\"title\":1}");
    assert_document(
        &title(),
        "```python\nprint({})\n```\n{x}\n{\"title\":1}",
        "{\"title\":1}",
    );
    assert_document(
        &title(),
        "```sh\nmake\n```\n\n```json\n{\"x\":1}\n```",
        "{\"x\":1}",
    );
    assert_document(
        &title(),
        "```sh\nnever closed\n```json\n{\"x\":1}",
        "{\"x\":1}",
    );
}

#[test]
fn rule_9_a_closed_fence_is_over() {
    assert_none(&title(), "a\n```\nnothing\n```\n{\"x\":1}");
    assert_none(&title(), "a\n~~~\n```\n~~~\n{\"x\":1}");
    assert_document(&title(), "a\n````\n```\n{\"x\":1}", "{\"x\":1}");
    assert_none(&title(), "```code``` {\"x\":1}\n{\"y\":1}");
}

#[test]
fn rule_9_after_prose_the_first_key_must_be_one_of_the_schema() {
    for key in [
        "\"title\"",
        "'title'",
        "title",
        "\"\\u0074itle\"",
        "中文",
        "\"中文\"",
        "\"\\u4e2d文\"",
        "'a b'",
    ] {
        let text = format!("{{{key}:1}}");
        assert_document(&title(), &format!("So: {{x}} {text}"), &text);
    }
    for key in [
        "\"other\"",
        "titles",
        "\"titl\"",
        "\"title\\n\"",
        "a b",
        "\"\"",
        "\"Title\"",
        "title.",
    ] {
        assert_none(&title(), &format!("So: {{{key}:1}}"));
    }
}

#[test]
fn rule_9_after_prose_the_colon_counts() {
    assert_none(&title(), "So {title} and {\"title\", 1} and {'title'");
    assert_none(&title(), "So {title /x: 1}");
    assert_document(&title(), "So {title} {title :1}", "{title :1}");
}

#[test]
fn rule_9_blanks_and_comments_around_the_first_key_are_skipped() {
    let text = "{ /* {\"title\" */ # {x:\n // y:\r\n 'title' /*:*/ \n : 1}";
    assert_document(&title(), &format!("So: {text}"), text);
}

#[test]
fn rule_9_an_open_schema_takes_any_key() {
    assert_document(&RootShape::Open, "I use {braces}. {\"a\":1}", "{\"a\":1}");
    assert_document(&RootShape::Open, "So: {}", "{}");
    assert_document(&RootShape::object([""; 0]), "So: {b : 1}", "{b : 1}");
    assert_none(&RootShape::Open, "So: [1, 2]");
}

#[test]
fn rule_9_an_object_after_prose_is_never_a_list() {
    let list = RootShape::list(ItemShape::OBJECT);
    assert_none(&list, "So: {\"title\":1}");
    assert_document(&list, "So: {\"title\":1} [{\"a\":1}]", "[{\"a\":1}]");
}

#[test]
fn rule_9_a_list_after_prose_must_begin_like_one() {
    let fits = [
        (ItemShape::STRING, "[\"x\"]"),
        (ItemShape::STRING, "[ 'x']"),
        (ItemShape::NUMBER, "[1]"),
        (ItemShape::NUMBER, "[ -1.5e3 ]"),
        (ItemShape::NUMBER, "[+.5,2]"),
        (ItemShape::BOOLEAN, "[True]"),
        (ItemShape::OBJECT, "[ // {x}\n {\"a\":1}]"),
        (ItemShape::LIST, "[/**/[1]]"),
        (ItemShape::STRING | ItemShape::NUMBER, "[1,\"x\"]"),
        (ItemShape::ANY, "[false]"),
    ];
    for (item, text) in fits {
        assert_document(&RootShape::list(item), &format!("So: {text} ok"), text);
    }
    let all = [
        ItemShape::STRING,
        ItemShape::NUMBER,
        ItemShape::BOOLEAN,
        ItemShape::OBJECT,
        ItemShape::LIST,
        ItemShape::NULL,
    ];
    for item in all {
        for text in [
            "[]",
            "[null]",
            "[None, 1]",
            "[NaN]",
            "[-Infinity]",
            "[undefined]",
        ] {
            assert_document(&RootShape::list(item), &format!("So: {text}"), text);
        }
        for text in [
            "[note]", "[, 1]", "[-x]", "[/x]", "[3rd]", "[:]", "[nu]", "[}", "[",
        ] {
            assert_none(&RootShape::list(item), &format!("So: {text}"));
        }
    }
    let strings = RootShape::list(ItemShape::STRING);
    assert_none(&strings, "So: [1]");
    assert_none(&strings, "So: [true]");
    assert_none(&strings, "So: [-1]");
    assert_none(&RootShape::list(ItemShape::NUMBER), "So: [\"x\"]");
    assert_none(&RootShape::list(ItemShape::OBJECT), "So: [[1]]");
}

#[test]
fn rule_9_a_rejected_bracket_is_passed_over_and_the_search_goes_on_behind_it() {
    assert_document(&title(), "a {{{\"title\":1}", "{\"title\":1}");
    assert_document(&title(), "a {\"{\"title\":1}", "{\"title\":1}");
    assert_document(&title(), "a { # {\"title\":1}\n x", "{\"title\":1}");
    assert_document(&title(), "a { /* {\"title\":1}", "{\"title\":1}");
    assert_document(&title(), "a {ti{title:1}", "{title:1}");
    let lists = RootShape::list(ItemShape::OBJECT);
    assert_document(&lists, "a [[{\"x\":1}]", "[{\"x\":1}]");
}

#[test]
fn rule_9_of_overlapping_documents_the_first_is_taken() {
    let text = "{ /* {\"title\":1} */ \"tags\":2}";
    assert_document(&title(), &format!("a {text}"), text);
    let fenced = "{ /*\n```\n{\"x\":1}\n```\n*/ \"tags\":2}";
    assert_document(&title(), &format!("a {fenced}"), fenced);
}

#[test]
fn rule_9_the_text_after_the_first_document_is_ignored() {
    assert_document(&title(), "{\"title\":1}{\"title\":2}", "{\"title\":1}");
    assert_document(&title(), "x {\"title\":1} [ {\"title\":2}", "{\"title\":1}");
}

#[test]
fn rule_9_without_a_document_there_are_no_events() {
    for text in [
        "",
        " ",
        "no",
        "\"title\"",
        "42",
        "</think>",
        "```json\n",
        "So: {",
    ] {
        assert_none(&title(), text);
    }
}

#[test]
fn rule_9_a_field_streams_as_soon_as_its_document_is_decided() {
    let run = run(
        &title(),
        &[
            "So {x: ",
            "{ti",
            "tle",
            "\":1} {\"title\"",
            " : \"a",
            "b",
            "\"}",
        ],
    );
    assert_eq!(
        run.lines,
        ["4 title + a", "5 title + b", "6 title = \"ab\""]
    );
}

#[test]
fn rule_9_a_held_back_document_comes_as_one_delta_a_string() {
    let run = run(
        &title(),
        &["So { # {\"title\":\"a", "b", "c\",\"tags\":\"d", "e\nf"],
    );
    assert_eq!(
        run.lines,
        [
            "3 title + abc",
            "3 title = \"abc\"",
            "3 tags + de\nf",
            "4 tags ~ \"de\\nf\""
        ]
    );
}

struct Count(usize);

impl FieldVisitor for Count {
    fn delta(&mut self, _: &FieldPath, _: &str, _: ValueRef<'_>) {
        self.0 += 1;
    }

    fn complete(&mut self, _: &FieldPath, _: ValueRef<'_>, _: CompletionSource) {
        self.0 += 1;
    }
}

#[test]
fn the_search_is_linear_in_hostile_prose() {
    let shapes = [
        title(),
        RootShape::Open,
        RootShape::object(["{\"{\"{'{", "{{{{{{{{", "////"]),
        RootShape::list(ItemShape::ANY),
        RootShape::list(ItemShape::OBJECT),
    ];
    let units = [
        "{",
        "[",
        "`",
        "```\n",
        "```json",
        "{\"",
        "{'",
        "{\"{'",
        "{/*",
        "{#",
        "{//\n",
        "{ ",
        "[ ",
        "{\\",
        "{\"\\",
        "{\"\\u007b",
        "{t",
        "{title ",
        "{title/*",
        "[n",
        "[1",
        "[-",
        "{[",
        "\n",
        "~~~\n[ ",
    ];
    for shape in &shapes {
        for unit in units {
            let cost = |count: usize| {
                let mut scanner = FieldScanner::new(shape);
                let mut seen = Count(0);
                scanner.push("x ", &mut seen);
                for _ in 0..count {
                    scanner.push(unit, &mut seen);
                }
                (scanner.search_steps(), (count * unit.len()) as u64)
            };
            let (few, _) = cost(500);
            let (many, bytes) = cost(5_000);
            assert!(
                many <= 12 * few.max(100),
                "{shape:?} {unit:?}: {few} to {many} steps"
            );
            assert!(many <= 40 * bytes, "{shape:?} {unit:?}: {many} steps");
        }
    }
}

#[test]
fn a_megabyte_of_brackets_is_read_at_once() {
    let text = format!("x {}", "{\"".repeat(500_000));
    let run = run(&title(), &[&text, "{\"title\":1}"]);
    assert_eq!(run.untimed(), ["title + 1", "title = 1"]);
}
