//! A leading block of reasoning.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use agently_core::instant::ThinkSplitter;
use proptest::prelude::*;

/// Reasoning and text of an answer that comes in these deltas.
fn split(deltas: &[&str]) -> (String, String) {
    let mut splitter = ThinkSplitter::new();
    let (mut reasoning, mut text) = (String::new(), String::new());
    for delta in deltas {
        let split = splitter.push(delta);
        reasoning += &split.reasoning;
        text += &split.text;
    }
    let rest = splitter.finish();
    (reasoning + &rest.reasoning, text + &rest.text)
}

/// The same, character by character.
fn split_chars(text: &str) -> (String, String) {
    let chars: Vec<String> = text.chars().map(String::from).collect();
    split(&chars.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn a_leading_block_goes_to_the_reasoning() {
    for (answer, reasoning, text) in [
        ("<think>a</think>b", "a", "b"),
        ("<thinking>a</thinking>b", "a", "b"),
        ("<THINK>{\"a\":1}</Think>\n{}", "{\"a\":1}", "\n{}"),
        ("\n \u{feff}<think>a</think>b", "a", "\n \u{feff}b"),
        ("<think></think>b", "", "b"),
        ("<think>a</thinking></think>b", "a</thinking>", "b"),
        ("<thinking>a</think></thinking>b", "a</think>", "b"),
        ("<think>1<2 <</think>b", "1<2 <", "b"),
        ("<think>a</th</think>b", "a</th", "b"),
        ("<think>a</think><think>b</think>", "a", "<think>b</think>"),
    ] {
        let expected = (reasoning.to_owned(), text.to_owned());
        assert_eq!(split(&[answer]), expected, "{answer}");
        assert_eq!(split_chars(answer), expected, "{answer}");
    }
}

#[test]
fn a_block_that_is_never_closed_is_all_reasoning() {
    for (answer, reasoning) in [
        ("<think>", ""),
        ("<think>a {}", "a {}"),
        ("<think>a</thin", "a</thin"),
    ] {
        assert_eq!(split(&[answer]), (reasoning.to_owned(), String::new()));
        assert_eq!(split_chars(answer), (reasoning.to_owned(), String::new()));
    }
}

#[test]
fn anything_else_passes_unchanged() {
    for answer in [
        "",
        " ",
        "<",
        "<think",
        "<thinker>a",
        "< think>a",
        "a<think>b</think>",
        "</think>a",
        "<thé>",
        "<thinkin",
    ] {
        assert_eq!(split(&[answer]), (String::new(), answer.to_owned()));
        assert_eq!(split_chars(answer), (String::new(), answer.to_owned()));
    }
}

#[test]
fn nothing_is_held_but_what_may_be_a_tag() {
    let mut splitter = ThinkSplitter::new();
    for (delta, reasoning, text, inside) in [
        (" ", "", " ", false),
        ("<th", "", "", false),
        ("ink>a", "a", "", true),
        ("b<", "b", "", true),
        ("c", "<c", "", true),
        ("</", "", "", true),
        ("<", "</", "", true),
        ("/think", "", "", true),
        (">", "", "", false),
        ("d", "", "d", false),
        ("<", "", "<", false),
    ] {
        assert_eq!(splitter.push(delta), (reasoning, text).into(), "{delta}");
        assert_eq!(splitter.is_reasoning(), inside, "{delta}");
    }
}

#[test]
fn a_false_tag_is_given_back_with_the_delta_that_showed_it() {
    let mut splitter = ThinkSplitter::new();
    assert_eq!(splitter.push("<thin"), ("", "").into());
    assert_eq!(splitter.push("g> x"), ("", "<thing> x").into());
}

proptest! {
    #[test]
    fn any_cut_gives_the_same_split(
        parts in prop::collection::vec(
            prop::sample::select(vec![
                "<think>", "</think>", "<thinking>", "</thinking>", "<", "/", "think", "ing", ">", " ", "é", "\u{feff}",
            ]),
            0..12,
        ),
    ) {
        let answer = parts.concat();
        prop_assert_eq!(split(&[&answer]), split_chars(&answer));
        prop_assert_eq!(split(&[&answer]), split(&parts));
    }
}
