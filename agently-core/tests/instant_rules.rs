//! The rules of the field stream, one by one; those on where a document starts are in
//! `instant_locate.rs`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod instant_support;

use agently_api::data::WarningKind;
use agently_core::instant::{DocumentState, Fault, FieldParser, RootShape};
use instant_support::{open, run};
use serde_json::{json, Value};

/// What the text in one piece means, and that it was read to its end.
fn data(text: &str) -> Value {
    let run = open(&[text]);
    assert_eq!(run.document.state, DocumentState::Complete, "{text}");
    run.data().unwrap()
}

fn fault(text: &str) -> (usize, Fault) {
    match open(&[text]).document.state {
        DocumentState::Silenced { offset, fault } => (offset, fault),
        state => panic!("{text}: {state:?}"),
    }
}

#[test]
fn rule_1_only_an_unfinished_escape_is_held_back() {
    let run = open(&[
        "{\"a\":\"x\\",
        "n",
        "\\u00",
        "e9",
        "\\ud83d",
        "\\ude",
        "00!",
        "\"}",
    ]);
    assert_eq!(
        run.lines,
        [
            "0 a + x",
            "1 a + \n",
            "3 a + é",
            "6 a + 😀!",
            "7 a = \"x\\né😀!\"",
        ]
    );
}

#[test]
fn rule_1_nothing_is_deferred_at_any_size() {
    let mut parser = FieldParser::new(&RootShape::Open, 1);
    let mut joined = String::new();
    parser.push("{\"a\":\"", &mut |_| {});
    for round in 0..20_000 {
        let delta = format!("{round} ");
        let mut got = 0;
        parser.push(&delta, &mut |item| {
            assert_eq!(item.delta.as_deref(), Some(&*delta));
            joined.push_str(&delta);
            got += 1;
        });
        assert_eq!(got, 1, "delta {round} is late");
    }
    let document = parser.finish(&mut |_| {});
    assert_eq!(document.value.unwrap().to_value(), json!({"a": joined}));
}

#[test]
fn rule_2_one_delta_event_a_string_and_provider_delta() {
    let run = open(&[
        "{\"a\":\"one\\n\\\"two\\u0021",
        "",
        " three\",\"b\":\"four",
        "\"}",
    ]);
    assert_eq!(
        run.lines,
        [
            "0 a + one\n\"two!",
            "2 a +  three",
            "2 a = \"one\\n\\\"two! three\"",
            "2 b + four",
            "3 b = \"four\"",
        ]
    );
}

#[test]
fn rule_3_a_completion_comes_with_the_delta_that_brought_its_end() {
    let run = open(&[
        "{\"a\":\"x",
        "\"",
        ",\"b\":tru",
        "e",
        ",\"c\":nul",
        "l",
        ",\"d\":1",
        "2",
        ",",
        "\"e\":[",
        "]",
        ",\"f\":7",
        " ",
        ",\"g\":8",
        "}",
    ]);
    assert_eq!(
        run.lines,
        [
            "0 a + x",
            "1 a = \"x\"",
            "3 b + true",
            "3 b = true",
            "5 c = null",
            "8 d + 12",
            "8 d = 12",
            "10 e = []",
            "12 f + 7",
            "12 f = 7",
            "14 g + 8",
            "14 g = 8",
        ]
    );
}

#[test]
fn rule_3_a_comment_ends_a_number_once_it_is_one() {
    let run = open(&[
        "[{\"a\":1",
        "/",
        "/ x\n,\"b\":2",
        "#",
        "\n,\"c\":3/",
        "**/}]",
    ]);
    assert_eq!(
        run.lines,
        [
            "2 [0].a + 1",
            "2 [0].a = 1",
            "3 [0].b + 2",
            "3 [0].b = 2",
            "5 [0].c + 3",
            "5 [0].c = 3",
            "5 [0] = {\"a\":1,\"b\":2,\"c\":3}",
        ]
    );
}

#[test]
fn rule_4_children_come_before_their_container_and_the_root_has_no_event() {
    let run = open(&["{\"a\":{\"b\":[{\"c\":\"x\"}]}}"]);
    assert_eq!(
        run.untimed(),
        [
            "a.b[0].c + x",
            "a.b[0].c = \"x\"",
            "a.b[0] = {\"c\":\"x\"}",
            "a.b = [{\"c\":\"x\"}]",
            "a = {\"b\":[{\"c\":\"x\"}]}",
        ]
    );
}

#[test]
fn rule_5_null_and_empty_values_have_a_completion_alone() {
    let run = open(&["{\"a\":null,\"b\":\"\",\"c\":[],\"d\":{}}"]);
    assert_eq!(run.untimed(), ["a = null", "b = \"\"", "c = []", "d = {}"]);
}

#[test]
fn rule_5_numbers_and_booleans_have_one_delta_in_their_own_spelling() {
    let run = open(&["{\"a\":1e-07,\"b\":-0.50,\"c\":True,\"d\":FALSE,\"e\":+007}"]);
    assert_eq!(
        run.untimed(),
        [
            "a + 1e-07",
            "a = 1e-7",
            "b + -0.50",
            "b = -0.5",
            "c + true",
            "c = true",
            "d + false",
            "d = false",
            "e + +007",
            "e = 7",
        ]
    );
}

#[test]
fn rule_6_extra_keys_and_wrong_types_are_streamed_as_they_come() {
    let run = run(
        &RootShape::object(["title"]),
        &["{\"other\":1,\"title\":[true]}"],
    );
    assert_eq!(
        run.untimed(),
        [
            "other + 1",
            "other = 1",
            "title[0] + true",
            "title[0] = true",
            "title = [true]",
        ]
    );
}

#[test]
fn rule_7_open_values_are_completed_innermost_first_at_the_end() {
    let run = open(&["{\"a\":[1,{\"b\":\"ha"]);
    assert_eq!(
        run.lines,
        [
            "0 a[0] + 1",
            "0 a[0] = 1",
            "0 a[1].b + ha",
            "1 a[1].b ~ \"ha\"",
            "1 a[1] ~ {\"b\":\"ha\"}",
            "1 a ~ [1,{\"b\":\"ha\"}]",
        ]
    );
    assert_eq!(run.document.state, DocumentState::Open);
    assert_eq!(run.data(), Some(json!({"a": [1, {"b": "ha"}]})));
}

#[test]
fn rule_7_an_open_number_counts_only_if_it_is_json_already() {
    for (text, value) in [
        ("12", json!(12)),
        ("-0.5", json!(-0.5)),
        ("1e5", json!(1e5)),
        ("12/", json!(12)),
    ] {
        let run = open(&["{\"a\":", text]);
        let source = text.trim_end_matches('/');
        assert_eq!(
            run.lines,
            [format!("2 a + {source}"), format!("2 a ~ {value}")]
        );
        assert_eq!(run.data(), Some(json!({"a": value})));
    }
    for text in ["-", "0.", "1e", "1e+", "+5", "007", ".5", "--1"] {
        let run = open(&["{\"a\":", text]);
        assert!(run.lines.is_empty(), "{text}: {:?}", run.lines);
        assert_eq!(run.data(), Some(json!({})), "{text}");
    }
}

#[test]
fn rule_7_what_is_not_begun_is_absent() {
    for text in [
        "{\"x\":0,\"a\":fa",
        "{\"x\":0,\"a",
        "{\"x\":0,\"a\"",
        "{\"x\":0,\"a\":",
        "{\"x\":0,a",
        "{\"x\":0,",
        "{\"x\":0 /",
    ] {
        let run = open(&[text]);
        assert_eq!(run.lines, ["0 x + 0", "0 x = 0"], "{text}");
        assert_eq!(run.data(), Some(json!({"x": 0})), "{text}");
    }
    assert!(open(&["{"]).lines.is_empty());
}

#[test]
fn rule_7_an_unfinished_escape_is_dropped_and_a_lone_half_replaced() {
    for (text, lines) in [
        ("x\\", vec!["0 a + x", "1 a ~ \"x\""]),
        ("x\\u12", vec!["0 a + x", "1 a ~ \"x\""]),
        (
            "x\\ud83d",
            vec!["0 a + x", "1 a + \u{fffd}", "1 a ~ \"x\u{fffd}\""],
        ),
        (
            "x\\ud83d\\ude",
            vec!["0 a + x", "1 a + \u{fffd}", "1 a ~ \"x\u{fffd}\""],
        ),
        ("", vec!["1 a ~ \"\""]),
    ] {
        assert_eq!(open(&[&format!("{{\"a\":\"{text}")]).lines, lines, "{text}");
    }
}

#[test]
fn rule_8_a_lone_surrogate_is_replaced_with_a_warning() {
    for (text, value) in [
        (r"\ud83dx", "\u{fffd}x"),
        (r"\ud83d\n", "\u{fffd}\n"),
        (r"\ud83d\ud83d\ude00", "\u{fffd}😀"),
        (r"\ude00", "\u{fffd}"),
        (r"\ud83d", "\u{fffd}"),
        (r"\ud83d\u0041", "\u{fffd}A"),
        (r"\ud83d\u12x", "\u{fffd}\\u12x"),
    ] {
        let run = open(&[&format!("{{\"a\":\"{text}\"}}")]);
        assert_eq!(run.data(), Some(json!({"a": value})), "{text}");
        let kinds: Vec<_> = run
            .document
            .warnings
            .iter()
            .map(|warning| warning.kind)
            .collect();
        assert_eq!(kinds, [WarningKind::InvalidText], "{text}");
    }
}

#[test]
fn rule_8_a_repeated_key_starts_its_path_anew() {
    let run = open(&["{\"a\":{\"x\":1},\"b\":2,\"a\":{\"y\":\"z\"}}"]);
    assert_eq!(
        run.untimed(),
        [
            "a.x + 1",
            "a.x = 1",
            "a = {\"x\":1}",
            "b + 2",
            "b = 2",
            "a.y + z",
            "a.y = \"z\"",
            "a = {\"y\":\"z\"}",
        ]
    );
    assert_eq!(run.data(), Some(json!({"a": {"y": "z"}, "b": 2})));
}

#[test]
fn rule_8_a_key_repeated_among_many_is_found() {
    let fields: Vec<_> = (0..100)
        .map(|index| format!("\"k{index}\":{index}"))
        .collect();
    let text = format!("{{{},\"k7\":\"again\",\"k99\":\"too\"}}", fields.join(","));
    let value = data(&text);
    assert_eq!(value.as_object().unwrap().len(), 100);
    assert_eq!(
        (&value["k7"], &value["k99"]),
        (&json!("again"), &json!("too"))
    );
}

#[test]
fn rule_8_a_repeated_key_without_a_value_changes_nothing() {
    assert_eq!(open(&["{\"a\":1,\"a\":-"]).data(), Some(json!({"a": 1})));
    assert_eq!(open(&["{\"a\":1,\"a\":["]).data(), Some(json!({"a": []})));
}

#[test]
fn rule_10_comments_between_tokens_mean_nothing() {
    let text = "{ // it's \"x\"\n\"a\" /* } ** / */ : # ,\n [1 /**/ , /* ] */ 2 # x\n] // end\n}";
    assert_eq!(data(text), json!({"a": [1, 2]}));
}

#[test]
fn rule_10_trailing_commas_are_read() {
    assert_eq!(
        data("{\"a\":[1,2,],\"b\":{\"c\":3,},}"),
        json!({"a": [1, 2], "b": {"c": 3}})
    );
}

#[test]
fn rule_10_single_quotes_end_at_the_first_unescaped_one() {
    assert_eq!(
        data(r#"{'a':'it\'s "so"','b\'c':'\"\n'}"#),
        json!({"a": "it's \"so\"", "b'c": "\"\n"})
    );
}

#[test]
fn rule_10_bare_keys_are_letters_digits_and_three_signs() {
    assert_eq!(
        data("{a_1:1,$b:2,-c:3,4:4,中文:5,null:6,d/**/:7}"),
        json!({"a_1": 1, "$b": 2, "-c": 3, "4": 4, "中文": 5, "null": 6, "d": 7})
    );
    assert_eq!(fault("{a.b:1}"), (2, Fault::NoColon));
    assert_eq!(fault("{a b:1}"), (3, Fault::NoColon));
}

#[test]
fn rule_10_literals_are_read_in_any_case() {
    assert_eq!(
        data("[[true,True,TRUE,false,False,null,None,NONE,none]]"),
        json!([[true, true, true, false, false, null, null, null, null]])
    );
}

#[test]
fn rule_10_raw_control_characters_stay_in_strings() {
    assert_eq!(
        data("{\"a\":\"x\ny\tz\r\u{1}\u{7f}\"}"),
        json!({"a": "x\ny\tz\r\u{1}\u{7f}"})
    );
}

#[test]
fn rule_10_what_has_no_json_value_is_null_with_a_warning() {
    for text in [
        "NaN",
        "Infinity",
        "-Infinity",
        "+Infinity",
        "-NaN",
        "undefined",
        "1e999",
        "-1e999",
    ] {
        let run = open(&["{\"a\":", text, "}"]);
        assert_eq!(run.untimed(), ["a = null"], "{text}");
        assert_eq!(run.data(), Some(json!({"a": null})), "{text}");
        let warnings = &run.document.warnings;
        assert_eq!(warnings.len(), 1, "{text}");
        assert_eq!(warnings[0].kind, WarningKind::Value);
    }
}

#[test]
fn rule_10_a_broken_escape_keeps_its_text() {
    assert_eq!(
        data(r#"{"a":"\x41 \' \u12G \q\é","b":"\u12","c":"\u\n"}"#),
        json!({"a": r"\x41 \' \u12G \q\é", "b": r"\u12", "c": "\\u\n"})
    );
    assert_eq!(data("{\"a\":\"\\\n\"}"), json!({"a": "\\\n"}));
}

#[test]
fn rule_10_numbers_are_i64_then_u64_else_f64() {
    for (text, value) in [
        ("-9223372036854775808", json!(i64::MIN)),
        ("18446744073709551615", json!(u64::MAX)),
        ("18446744073709551616", json!(18_446_744_073_709_551_616.0)),
        ("1.0", json!(1.0)),
        ("1e2", json!(100.0)),
        ("+5", json!(5)),
        ("007", json!(7)),
        (".5", json!(0.5)),
        ("-.5", json!(-0.5)),
        ("5.", json!(5.0)),
        ("5.e1", json!(50.0)),
        ("1E+2", json!(100.0)),
        ("-0", json!(0)),
        ("1.7976931348623157e+308", json!(f64::MAX)),
    ] {
        assert_eq!(data(&format!("[[{text}]]")), json!([[value]]), "{text}");
    }
}

#[test]
fn rule_10_what_is_uncertain_silences_the_stream() {
    for (text, expected) in [
        ("{\"a\":\"say \"hi\" ok\"}", (11, Fault::NoComma)),
        ("{\"a\":1 \"b\":2}", (7, Fault::NoComma)),
        ("{\"a\":[1 2]}", (8, Fault::NoComma)),
        ("{\"a\":[1}", (7, Fault::WrongCloser)),
        ("{\"a\":{]", (6, Fault::NoKey)),
        ("{\"a\":truely}", (9, Fault::NoComma)),
        ("{\"a\":12px}", (7, Fault::BadNumber)),
        ("{\"a\":1.2.3}", (10, Fault::BadNumber)),
        ("{\"a\":-}", (6, Fault::BadNumber)),
        ("{\"a\":1/2}", (7, Fault::BadNumber)),
        ("{\"a\":1_000}", (6, Fault::BadNumber)),
        ("{\"a\":\u{201c}x\u{201d}}", (5, Fault::NoValue)),
        ("{\u{201c}a\u{201d}:1}", (1, Fault::NoKey)),
        ("{\"a\":\"\"\"x\"\"\"}", (7, Fault::NoComma)),
        ("{\"a\":foo}", (6, Fault::BadWord)),
        ("{\"a\":value}", (5, Fault::NoValue)),
        ("{\"a\":}", (5, Fault::NoValue)),
        ("{\"a\",}", (4, Fault::NoColon)),
        ("{\"a\":1,,\"b\":2}", (7, Fault::NoKey)),
        ("{\"a\":[,1]}", (6, Fault::NoValue)),
        ("{\"a\":1 / 2}", (8, Fault::BadComment)),
        ("{\"a\":1;}", (6, Fault::BadNumber)),
    ] {
        assert_eq!(fault(text), expected, "{text}");
    }
}

#[test]
fn rule_10_a_silenced_stream_says_nothing_more() {
    let run = open(&[
        "{\"a\":\"x\",\"b\":[\"say \"hi",
        "\", 1], \"c\": \"y\"}",
        "more",
    ]);
    assert_eq!(
        run.lines,
        [
            "0 a + x",
            "0 a = \"x\"",
            "0 b[0] + say ",
            "0 b[0] = \"say \""
        ]
    );
    assert_eq!(
        run.document.state,
        DocumentState::Silenced {
            offset: 20,
            fault: Fault::NoComma
        }
    );
    assert_eq!(run.document.range, Some(0..42));
}

#[test]
fn rule_10_nesting_is_read_to_128_levels() {
    let deep = |levels: usize| {
        let inner = levels - 1;
        format!("{{\"a\":{}{}}}", "[".repeat(inner), "]".repeat(inner))
    };
    assert_eq!(open(&[&deep(128)]).document.state, DocumentState::Complete);
    assert_eq!(fault(&deep(129)), (5 + 127, Fault::TooDeep));
}

#[test]
fn rule_12_the_data_is_what_the_completions_said() {
    let run = open(&["{\"a\":1,\"a\":[\"x\"],\"b\":{\"c\":null}}"]);
    let data = run.data().unwrap();
    for line in run.untimed().into_iter().rev().take(4) {
        if let Some((path, value)) = line.split_once(" = ") {
            let pointer = format!("/{}", path.replace(['.', '['], "/").replace(']', ""));
            assert_eq!(data.pointer(&pointer).unwrap().to_string(), value);
        }
    }
    assert_eq!(data, json!({"a": ["x"], "b": {"c": null}}));
}

#[test]
fn rule_14_segments_are_exact_where_the_printed_path_is_not() {
    let mut paths = Vec::new();
    let mut parser = FieldParser::new(&RootShape::Open, 3);
    parser.push("{\"a.b\":{\"x[0]\":[5]},\"\":{\"\":1}}", &mut |item| {
        assert_eq!(item.attempt, 3);
        paths.push((
            item.path.to_string(),
            item.wildcard_path().to_owned(),
            item.path.segments().len(),
        ));
    });
    paths.dedup();
    assert_eq!(paths[0], ("a.b.x[0][0]".into(), "a.b.x[0][*]".into(), 3));
    assert_eq!(paths[3], (".".into(), ".".into(), 2));
}

#[test]
fn text_after_the_document_is_ignored() {
    let run = open(&["{\"a\":1} {\"a\":2}", "]} \"x"]);
    assert_eq!(run.untimed(), ["a + 1", "a = 1"]);
    assert_eq!(run.document.range, Some(0..7));
}

#[test]
fn a_value_handed_out_does_not_change_when_the_field_grows() {
    let mut parser = FieldParser::new(&RootShape::Open, 1);
    let mut values = Vec::new();
    for delta in ["{\"a\":\"one", " two", " three\"}"] {
        parser.push(delta, &mut |item| values.push(item.value().clone()));
    }
    assert_eq!(values[0], json!("one"));
    assert_eq!(values[1], json!("one two"));
    assert_eq!(values[3], json!("one two three"));
}
