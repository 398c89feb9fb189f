//! Server-sent events and JSON lines, in every cut.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use agently_http::sse::{Decoder, EventKind};
use agently_http::{ndjson, HttpErrorKind};
use proptest::prelude::*;

const LIMIT: usize = 1 << 20;

/// An event, owned: kind, name, data, id, terminated, lossy.
type Seen = (
    EventKind,
    Option<String>,
    String,
    Option<String>,
    bool,
    bool,
);

fn decode<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Seen>, u64) {
    let mut decoder = Decoder::new(LIMIT);
    let mut seen = Vec::new();
    let mut drain = |decoder: &mut Decoder| {
        while let Some(event) = decoder.next_event().unwrap() {
            seen.push((
                event.kind,
                event.name.map(str::to_owned),
                event.data.to_owned(),
                event.id.map(str::to_owned),
                event.terminated,
                event.lossy,
            ));
        }
    };
    for piece in pieces {
        decoder.push(piece);
        drain(&mut decoder);
    }
    decoder.finish();
    drain(&mut decoder);
    let comments = decoder.take_comments();
    (seen, comments)
}

/// The payloads, the same whole, in single bytes and in every two-way cut.
fn payloads(stream: &str) -> Vec<String> {
    let bytes = stream.as_bytes();
    let whole = decode([bytes]);
    assert_eq!(decode(bytes.chunks(1)), whole, "byte by byte: {stream:?}");
    for cut in 0..bytes.len() {
        let (a, b) = bytes.split_at(cut);
        assert_eq!(decode([a, b]), whole, "cut at {cut}: {stream:?}");
    }
    whole.0.into_iter().map(|seen| seen.2).collect()
}

#[test]
fn a_rows_that_only_differ_in_framing_give_the_same_events() {
    for (row, stream) in [
        ("plain", "data: a\n\ndata: b\n\n"),
        ("A01", "data: a\r\n\r\ndata: b\r\n\r\n"),
        ("A02", "data: a\r\rdata: b\r\r"),
        ("A04", "data: a\r\n\ndata: b\n\r\n"),
        ("A04", "data: a\r\rdata: b\r\n\r"),
        ("A05", "\u{feff}data: a\n\ndata: b\n\n"),
        (
            "A06",
            ": OPENROUTER PROCESSING\n\ndata: a\n: keep-alive\n\n:\ndata: b\n\n:\n",
        ),
        ("A08", "data:a\n\ndata:b\n\n"),
        ("A10", "data:\n\n\n\n\ndata: a\n\ndata: \n\n\ndata: b\n\n\n"),
        ("A11", "retry: 3000\n\ndata: a\n\nid: 1\n\n\ndata: b\n\n"),
        ("A12", "event: keepalive\n\ndata: a\n\nevent:x\ndata: b\n\n"),
        (
            "A13",
            "retry: abc\nnonsense\nunknown: x\ndata: a\n\nid: 1\u{0}2\ndata: b\n\n",
        ),
        ("A15", "data: a\n\ndata: b\n"),
        ("A15", "data: a\n\ndata: b"),
    ] {
        assert_eq!(payloads(stream), ["a", "b"], "{row}: {stream:?}");
    }
}

#[test]
fn a05_exactly_one_byte_order_mark_is_left_out() {
    assert_eq!(payloads("\u{feff}data: \u{feff}x\n\n"), ["\u{feff}x"]);
    // A second one makes the first field unknown.
    assert_eq!(payloads("\u{feff}\u{feff}data: a\n\ndata: b\n\n"), ["b"]);
    assert!(payloads("\u{feff}").is_empty());
}

#[test]
fn a08_one_space_is_stripped_and_no_more() {
    assert_eq!(payloads("data:  a \n\n"), [" a "]);
}

#[test]
fn a09_data_lines_are_joined() {
    assert_eq!(
        payloads("data: {\ndata: \"a\": 1\ndata: }\n\n"),
        ["{\n\"a\": 1\n}"]
    );
    assert_eq!(payloads("data: a\ndata\ndata:\ndata: b\n\n"), ["a\n\n\nb"]);
}

#[test]
fn a07_a_rewrapped_comment_is_left_to_the_reader() {
    assert_eq!(
        payloads("data: : OPENROUTER PROCESSING\n\n"),
        [": OPENROUTER PROCESSING"]
    );
}

#[test]
fn a06_a10_signs_of_life_are_counted() {
    let (seen, comments) = decode([&b": a\n:\n\ndata:\n\ndata: x\n\n: b\n"[..]]);
    assert_eq!(seen.len(), 1);
    assert_eq!(comments, 4);
}

#[test]
fn names_last_for_one_event_and_ids_until_the_next() {
    let (seen, _) =
        decode([&b"event: a\nid: 7\ndata: 1\n\ndata: 2\n\nid\nevent:\ndata: 3\n\n"[..]]);
    let names: Vec<_> = seen.iter().map(|seen| seen.1.as_deref()).collect();
    let ids: Vec<_> = seen.iter().map(|seen| seen.3.as_deref()).collect();
    assert_eq!(names, [Some("a"), None, None]);
    assert_eq!(ids, [Some("7"), Some("7"), Some("")]);
}

#[test]
fn a14_an_error_field_is_an_event_of_its_own() {
    for stream in [
        "error: {\"message\":\"busy\"}\n\n",
        "data: {\"half\nerror: {\"message\":\"busy\"}\n\n",
    ] {
        let (seen, _) = decode([stream.as_bytes()]);
        let last = seen.last().unwrap();
        assert_eq!(last.0, EventKind::ErrorField);
        assert_eq!(last.2, "{\"message\":\"busy\"}");
        if seen.len() == 2 {
            assert_eq!((seen[0].2.as_str(), seen[0].4), ("{\"half", false));
        }
        payloads(stream);
    }
}

#[test]
fn a15_what_the_end_cut_off_is_marked() {
    for (stream, terminated) in [
        ("data: x\n\n", true),
        ("data: x\r\r", true),
        ("data: x\n", false),
        ("data: x\r", false),
        ("data: x", false),
    ] {
        let (seen, _) = decode([stream.as_bytes()]);
        assert_eq!((seen.len(), seen[0].4), (1, terminated), "{stream:?}");
    }
}

#[test]
fn a17_bare_json_lines_are_events() {
    let (seen, _) = decode([&b"{\"a\":1}\n{\"b\":2}\r\n\n[DONE]"[..]]);
    let kinds: Vec<_> = seen.iter().map(|seen| seen.0).collect();
    assert_eq!(kinds, [EventKind::BareJson; 3]);
    assert_eq!(
        payloads("{\"a\":1}\n{\"b\":2}\r\n\n[DONE]"),
        ["{\"a\":1}", "{\"b\":2}", "[DONE]"]
    );
}

#[test]
fn a19_only_cr_and_lf_end_lines() {
    let text = "a\u{2028}b\u{2029}c\u{85}d\u{b}e\u{c}f";
    assert_eq!(payloads(&format!("data: {text}\n\n")), [text]);
}

#[test]
fn b01_characters_may_be_cut_anywhere() {
    assert_eq!(payloads("data: ä€😀\n\n"), ["ä€😀"]);
    assert!(
        !decode([
            &"data: ä€😀\n\n".as_bytes()[..9],
            &"data: ä€😀\n\n".as_bytes()[9..]
        ])
        .0[0]
            .5
    );
}

#[test]
fn b02_b03_invalid_utf_8_is_replaced_and_marked() {
    let (seen, _) = decode([&b"data: a\xffb\n\ndata: ok\n\ndata: \xe2\x82"[..]]);
    assert_eq!((seen[0].2.as_str(), seen[0].5), ("a\u{fffd}b", true));
    assert_eq!((seen[1].2.as_str(), seen[1].5), ("ok", false));
    assert_eq!(
        (seen[2].2.as_str(), seen[2].4, seen[2].5),
        ("\u{fffd}", false, true)
    );
}

#[test]
fn b06_b07_the_limit_is_the_events_size() {
    let event = |size: usize| format!("data:{}\n\n", "x".repeat(size - 5));
    let mut decoder = Decoder::new(1000);
    for _ in 0..100 {
        // Many events together may be larger than the limit.
        decoder.push(event(1000).as_bytes());
    }
    let mut count = 0;
    while decoder.next_event().unwrap().is_some() {
        count += 1;
    }
    assert_eq!(count, 100);

    for endless in ["data: x", ": x", "x", "data: x\n", "{"] {
        let mut decoder = Decoder::new(1000);
        let mut pushed = 0;
        let error = loop {
            decoder.push(endless.as_bytes());
            pushed += endless.len();
            match decoder.next_event() {
                Ok(event) => assert!(event.is_none()),
                Err(error) => break error,
            }
            assert!(pushed < 10_000, "no limit for {endless:?}");
        };
        assert_eq!(error.kind(), HttpErrorKind::Limit);
        assert!(error.to_string().contains("1000"));
        decoder.push(b"data: late\n\n");
        assert!(decoder.next_event().is_err(), "an error is final");
    }
}

#[test]
fn comments_never_add_up_to_a_limit() {
    let mut decoder = Decoder::new(100);
    for _ in 0..10_000 {
        decoder.push(b": still here\n");
        assert!(decoder.next_event().unwrap().is_none());
    }
    assert_eq!(decoder.take_comments(), 10_000);
}

/// Looks at bytes as a count of work: how long a stream takes, in instructions nobody can count
/// here, shows in how the time grows.
fn time_of(stream: &[u8], piece: usize) -> std::time::Duration {
    (0..3)
        .map(|_| {
            #[expect(clippy::disallowed_methods, reason = "measures the decoder")]
            let start = std::time::Instant::now();
            let mut decoder = Decoder::new(usize::MAX);
            let mut count = 0;
            for piece in stream.chunks(piece) {
                decoder.push(piece);
                while decoder.next_event().unwrap().is_some() {
                    count += 1;
                }
            }
            assert_eq!(count, 1);
            start.elapsed()
        })
        .min()
        .unwrap()
}

#[test]
fn a24_b06_time_is_linear_in_the_stream() {
    let lines = |count: usize| format!("{}\n", "data: x\n".repeat(count)).into_bytes();
    let comments = |count: usize| format!("{}data: x\n\n", ": x\n".repeat(count)).into_bytes();
    let long = |count: usize| format!("data: {}\n\n", "x".repeat(8 * count)).into_bytes();
    for (what, make) in [
        ("lines", &lines as &dyn Fn(usize) -> Vec<u8>),
        ("comments", &comments),
        ("one line", &long),
    ] {
        let (small, large) = (make(10_000), make(100_000));
        // Ten times the input; a quadratic decoder takes a hundred times as long, on a busy
        // machine and each time.
        let linear = (0..10).any(|_| {
            let (a, b) = (time_of(&small, 16), time_of(&large, 16));
            println!("{what}: {a:?}, {b:?}");
            b < a * 40
        });
        assert!(linear, "{what}");
    }
}

#[test]
fn json_lines() {
    let stream = "\u{feff}{\"a\":1}\r\n\r\n \n{\"b\":\"ä\"}\n{\"c\":3}";
    let decode = |pieces: Vec<&[u8]>| {
        let mut decoder = ndjson::Decoder::new(LIMIT);
        let mut seen = Vec::new();
        for piece in pieces {
            decoder.push(piece);
            while let Some(line) = decoder.next_line().unwrap() {
                seen.push((line.data.to_owned(), line.terminated, line.lossy));
            }
        }
        decoder.finish();
        while let Some(line) = decoder.next_line().unwrap() {
            seen.push((line.data.to_owned(), line.terminated, line.lossy));
        }
        (seen, decoder.take_blank_lines())
    };
    let whole = decode(vec![stream.as_bytes()]);
    assert_eq!(
        whole.0,
        [
            ("{\"a\":1}".to_owned(), true, false),
            ("{\"b\":\"ä\"}".to_owned(), true, false),
            ("{\"c\":3}".to_owned(), false, false),
        ]
    );
    assert_eq!(whole.1, 2);
    for cut in 0..stream.len() {
        let (a, b) = stream.as_bytes().split_at(cut);
        assert_eq!(decode(vec![a, b]), whole, "cut at {cut}");
    }

    let mut decoder = ndjson::Decoder::new(10);
    decoder.push(b"12345678901");
    assert_eq!(
        decoder.next_line().unwrap_err().kind(),
        HttpErrorKind::Limit
    );
}

/// Streams out of the pieces that matter.
fn streams() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        Just(b"data: ".to_vec()),
        Just(b"data:".to_vec()),
        Just(b"event: e".to_vec()),
        Just(b"id: 1".to_vec()),
        Just(b"error: x".to_vec()),
        Just(b":".to_vec()),
        Just(b" ".to_vec()),
        Just(b"{\"a\":1}".to_vec()),
        Just(b"\n".to_vec()),
        Just(b"\n\n".to_vec()),
        Just(b"\r".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"\xEF\xBB\xBF".to_vec()),
        Just("ä€😀".as_bytes().to_vec()),
        Just(b"\xff".to_vec()),
        proptest::collection::vec(any::<u8>(), 0..6),
    ];
    proptest::collection::vec(part, 0..40).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn a23_any_cut_gives_the_same_events(
        stream in streams(),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let whole = decode([stream.as_slice()]);
        let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
        at.sort_unstable();
        let mut pieces = Vec::new();
        let mut from = 0;
        for to in at.into_iter().chain([stream.len()]) {
            pieces.push(&stream[from..to]);
            from = to;
        }
        prop_assert_eq!(decode(pieces), whole.clone());
        prop_assert_eq!(decode(stream.chunks(1)), whole.clone());
        // And when nobody asks for events in between.
        let mut decoder = Decoder::new(LIMIT);
        stream.chunks(3).for_each(|piece| decoder.push(piece));
        decoder.finish();
        let mut count = 0;
        while decoder.next_event().unwrap().is_some() {
            count += 1;
        }
        prop_assert_eq!(count, whole.0.len());
    }
}
