//! Rule 9 once more: the search against a plain reading of the rule that looks at the whole text
//! and starts again at every bracket.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod instant_support;

use agently_core::instant::{ItemShape, RootShape, TokenVisitor, Tokenizer};
use instant_support::run;
use proptest::prelude::*;

const KEYS: [&str; 3] = ["t", "tt", "{"];

#[derive(Clone, Copy, Debug)]
enum Shape {
    Open,
    Keys,
    List(ItemShape),
}

impl Shape {
    fn root(self) -> RootShape {
        match self {
            Self::Open => RootShape::Open,
            Self::Keys => RootShape::object(KEYS),
            Self::List(item) => RootShape::list(item),
        }
    }
}

/// The text behind blanks and comments; `None` where a comment is broken or never ends.
fn skip(mut text: &str) -> Option<&str> {
    loop {
        text = text.trim_start_matches([' ', '\t', '\r', '\n']);
        text = if let Some(rest) = text.strip_prefix("/*") {
            &rest[rest.find("*/")? + 2..]
        } else if text.starts_with("//") || text.starts_with('#') {
            &text[text.find('\n')? + 1..]
        } else {
            return (!text.starts_with('/')).then_some(text);
        };
    }
}

#[derive(Default)]
struct Key(Option<String>);

impl TokenVisitor for Key {
    fn key(&mut self, key: &str) {
        self.0.get_or_insert_with(|| key.to_owned());
    }
}

/// The first key of the object at the start of the text, if a colon follows it.
fn first_key(object: &str) -> Option<String> {
    let mut tokenizer = Tokenizer::new();
    let mut key = Key::default();
    let body = skip(&object[1..])?;
    let bare = !body.starts_with(['"', '\'']);
    tokenizer.push("{", &mut key);
    for (index, next) in body.char_indices() {
        tokenizer.push(next.encode_utf8(&mut [0; 4]), &mut key);
        if let Some(key) = key.0 {
            let behind = if bare { index } else { index + 1 };
            return skip(&body[behind..])?.starts_with(':').then_some(key);
        }
    }
    None
}

fn begins_item(list: &str, item: ItemShape) -> bool {
    let Some(body) = skip(&list[1..]) else {
        return false;
    };
    let word = |word: &str| {
        body.get(..word.len())
            .is_some_and(|body| body.eq_ignore_ascii_case(word))
    };
    if ["null", "none", "nan", "undefined", "infinity"]
        .into_iter()
        .any(word)
        || body.starts_with(']')
    {
        return true;
    }
    if word("true") || word("false") {
        return item.allows(ItemShape::BOOLEAN);
    }
    match body.chars().next() {
        Some('{') => item.allows(ItemShape::OBJECT),
        Some('[') => item.allows(ItemShape::LIST),
        Some('"' | '\'') => item.allows(ItemShape::STRING),
        Some('0'..='9') => {
            let rest = body.trim_start_matches(|next: char| next.is_ascii_digit());
            let ends = |next| " \t\r\n,]}/#".contains(next);
            item.allows(ItemShape::NUMBER) && rest.chars().next().is_none_or(ends)
        }
        _ => false,
    }
}

/// Where the document starts.
fn start(text: &str, shape: Shape) -> Option<usize> {
    let mut fence: Option<(char, usize, bool)> = None;
    let mut at_start = true;
    let mut from = 0;
    for line in text.split_inclusive('\n') {
        let blanks = line.len() - line.trim_start_matches([' ', '\t', '\r', '\u{feff}']).len();
        for (index, bracket) in line.char_indices() {
            at_start &= index <= blanks;
            let rest = &text[from + index..];
            let is_list = matches!(shape, Shape::List(_));
            let taken = match bracket {
                '{' | '[' if fence.is_some_and(|(_, _, ours)| ours) => true,
                '{' if at_start => true,
                '[' if at_start => {
                    let behind = rest[1..].trim_start_matches([' ', '\t', '\r', '\n']);
                    is_list || behind.starts_with(['{', '['])
                }
                '{' => match shape {
                    Shape::Open => {
                        first_key(rest).is_some()
                            || skip(&rest[1..]).is_some_and(|behind| behind.starts_with('}'))
                    }
                    Shape::Keys => first_key(rest).is_some_and(|key| KEYS.contains(&&*key)),
                    Shape::List(_) => false,
                },
                '[' => matches!(shape, Shape::List(item) if begins_item(rest, item)),
                _ => false,
            };
            if taken {
                return Some(from + index);
            }
        }
        from += line.len();
        let body = line[blanks..].trim_end_matches([' ', '\t', '\r', '\n']);
        let mark = body.chars().next().unwrap_or(' ');
        let count = (body.len() - body.trim_start_matches(mark).len()) / mark.len_utf8();
        let label = body.trim_start_matches(mark).trim();
        let is_fence = matches!(mark, '`' | '~')
            && count >= 3
            && line.ends_with('\n')
            && !(mark == '`' && label.contains('`'));
        if is_fence {
            let json = label.eq_ignore_ascii_case("json");
            let ours = json || label.is_empty();
            fence = match fence {
                Some((open, length, _)) if label.is_empty() && open == mark && count >= length => {
                    None
                }
                Some(open) if !json => Some(open),
                _ => Some((mark, count, ours)),
            };
            at_start = only_fences(&text[..from]);
        } else if !body.is_empty() {
            at_start = false;
        }
    }
    None
}

/// Whether the text is nothing but blanks and fences of ours.
fn only_fences(text: &str) -> bool {
    text.lines().all(|line| {
        let line = line
            .trim_start_matches([' ', '\t', '\r', '\u{feff}'])
            .trim_end_matches([' ', '\t', '\r']);
        let label = line.trim_start_matches(['`', '~']).trim();
        let marks = &line[..line.len() - line.trim_start_matches(['`', '~']).len()];
        let one = marks.chars().all(|mark| marks.starts_with(mark));
        line.is_empty()
            || (one && marks.len() >= 3 && (label.is_empty() || label.eq_ignore_ascii_case("json")))
    })
}

fn soup() -> impl Strategy<Value = String> {
    prop::collection::vec(
        prop::sample::select(vec![
            "{",
            "{",
            "[",
            "[",
            "t",
            "\"",
            "'",
            ":",
            "\"t\":",
            "t:",
            "```",
            "json",
            "```\n",
            "```json\n",
            "~~~\n",
            "```py\n",
            "\n",
            " ",
            "\r\n",
            "x",
            "/*",
            "*/",
            "//",
            "#",
            "]",
            "}",
            "1",
            "null",
            "true",
            "\\",
            "\\u0074",
            "\u{feff}",
            "é",
        ]),
        0..14,
    )
    .prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn the_search_finds_what_a_reading_of_the_whole_text_finds(
        text in soup(),
        shape in prop::sample::select(vec![
            Shape::Open,
            Shape::Keys,
            Shape::List(ItemShape::STRING),
            Shape::List(ItemShape::OBJECT),
            Shape::List(ItemShape::NUMBER | ItemShape::BOOLEAN | ItemShape::LIST),
        ]),
    ) {
        let expected = start(&text, shape);
        let whole = run(&shape.root(), &[&text]).document.range.map(|range| range.start);
        prop_assert_eq!(whole, expected);
        let chars: Vec<String> = text.chars().map(String::from).collect();
        let cut: Vec<&str> = chars.iter().map(String::as_str).collect();
        let cut = run(&shape.root(), &cut).document.range.map(|range| range.start);
        prop_assert_eq!(cut, expected);
    }
}
