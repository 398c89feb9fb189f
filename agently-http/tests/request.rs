//! URLs, requests, and what is printed of them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use agently_api::secret::Secret;
use agently_http::{HttpErrorKind, Request, Url};

#[test]
fn parts_of_a_url() {
    for (text, scheme, host, port, path, query) in [
        ("http://a.test", "http", "a.test", 80, "/", None),
        ("https://A.Test/", "https", "a.test", 443, "/", None),
        (
            "http://a.test:8080/v1?x=1#frag",
            "http",
            "a.test",
            8080,
            "/v1",
            Some("x=1"),
        ),
        ("http://[::1]:11434/v1", "http", "::1", 11434, "/v1", None),
        ("  https://a.test/v1  ", "https", "a.test", 443, "/v1", None),
    ] {
        let url = Url::parse(text).unwrap();
        assert_eq!(
            (
                url.scheme(),
                url.host(),
                url.port(),
                url.path(),
                url.query()
            ),
            (scheme, host, port, path, query),
            "{text}"
        );
    }
}

#[test]
fn urls_that_are_refused_say_so_without_their_secrets() {
    for text in [
        "",
        "a.test/v1",
        "/v1?key=canary",
        "ftp://a.test/?key=canary",
        "http://",
        "http://me:canary@a.test/",
        "http://a.test:99999/",
        "http://a test/?key=canary",
        "http://a.test/v 1?key=canary",
        "http://bücher.test/",
        "https://me:se/canary@a.test/v1",
        "https://me:se?canary@a.test/v1",
        "https://me:se#canary@a.test/v1",
        "https://me:c@n/canary@a.test/v1",
        "https://me:can://canary@a.test/v1",
        "me:se/canary@a.test/v1",
        "//me:se/canary@a.test/v1",
    ] {
        let error = Url::parse(text).unwrap_err();
        assert_eq!(error.kind(), HttpErrorKind::Config, "{text}");
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("canary"), "{shown}");
    }
    for text in ["https://me:se/cret@a.test/v1", "https://me:secret@a.test/"] {
        let shown = Url::parse(text).unwrap_err().to_string();
        assert!(shown.contains("user name"), "{shown}");
    }
}

#[test]
fn joining_paths() {
    for (base, path, joined) in [
        ("https://a.test", "models", "https://a.test/models"),
        ("https://a.test/", "/models", "https://a.test/models"),
        (
            "https://a.test/v1",
            "chat/completions",
            "https://a.test/v1/chat/completions",
        ),
        ("https://a.test/v1//", "//x", "https://a.test/v1/x"),
    ] {
        assert_eq!(
            Url::parse(base).unwrap().join(path).unwrap().to_string(),
            joined
        );
    }
    let azure = Url::parse("https://a.test/openai?api-version=1").unwrap();
    let joined = azure.join("deployments/x").unwrap();
    assert_eq!(
        (joined.path(), joined.query()),
        ("/openai/deployments/x", Some("api-version=1"))
    );
    assert_eq!(joined.with_query(None).unwrap().query(), None);
    for path in ["a?b", "a#b", "a b", "a\r\nb", "a\u{0}"] {
        assert_eq!(
            azure.join(path).unwrap_err().kind(),
            HttpErrorKind::Config,
            "{path:?}"
        );
    }
}

#[test]
fn loopback_is_recognised() {
    for (host, loopback) in [
        ("localhost", true),
        ("api.localhost", true),
        ("127.0.0.1", true),
        ("127.9.9.9", true),
        ("[::1]", true),
        ("[::ffff:127.0.0.1]", true),
        ("localhost.example.com", false),
        ("notlocalhost", false),
        ("128.0.0.1", false),
        ("0.0.0.0", false),
    ] {
        let url = Url::parse(&format!("http://{host}/")).unwrap();
        assert_eq!(url.is_loopback(), loopback, "{host}");
    }
}

#[test]
fn headers_of_the_connection_are_not_the_callers() {
    let request = || Request::get(Url::parse("http://a.test/").unwrap());
    for (name, value) in [
        ("Accept-Encoding", "gzip"),
        ("accept-encoding", "identity, br"),
        ("connection", "close"),
        ("keep-alive", "timeout=5"),
        ("proxy-connection", "keep-alive"),
        ("te", "trailers"),
        ("trailer", "x"),
        ("transfer-encoding", "chunked"),
        ("upgrade", "h2c"),
        ("expect", "100-continue"),
        ("content-length", "7"),
        ("host", "b.test"),
        ("proxy-authorization", "Basic canary"),
    ] {
        let error = request().with_header(name, value).unwrap_err();
        assert_eq!(error.kind(), HttpErrorKind::Config, "{name}");
        assert!(
            error.message().contains(&name.to_ascii_lowercase()),
            "{error}"
        );
        assert!(error.hint().is_some(), "{error}");
        assert!(!format!("{error} {error:?}").contains("canary"));
        assert!(request()
            .with_secret_header(name, &Secret::new(value))
            .is_err());

        // The headers can be reached directly too.
        let mut sent = request();
        let name: agently_http::HeaderName = name.parse().unwrap();
        sent.headers.insert(name, value.parse().unwrap());
        let client = agently_http::Client::builder()
            .proxy(agently_http::ProxyConfig::none())
            .build()
            .unwrap();
        let runtime = agently_backend_smol::runtime().unwrap();
        let error = runtime.block_on(client.send(&runtime, sent)).unwrap();
        assert_eq!(error.unwrap_err().kind(), HttpErrorKind::Config);
    }
    for (name, value) in [
        ("accept-encoding", "identity"),
        ("accept", "*/*"),
        ("user-agent", "mine"),
        ("x-connection", "y"),
    ] {
        assert!(request().with_header(name, value).is_ok(), "{name}");
    }
}

#[test]
fn s07_header_parts_are_checked_and_values_not_shown() {
    let request = || Request::get(Url::parse("http://a.test/?q=canary").unwrap());
    for value in ["canary\r\nx: y", "canary\n", "canary\0", "canary…"] {
        let error = request().with_header("x-a", value).unwrap_err();
        assert_eq!(error.kind(), HttpErrorKind::Config);
        assert!(error.to_string().contains("x-a"));
        assert!(!format!("{error} {error:?}").contains("canary"));
        assert!(request().with_bearer(&Secret::new(value)).is_err());
    }
    assert!(request().with_header("bad name", "v").is_err());
    let shown = format!(
        "{:?}",
        request()
            .with_bearer(&Secret::new("canary"))
            .unwrap()
            .with_body("canary")
    );
    assert!(!shown.contains("canary"), "{shown}");
    assert!(
        shown.contains("authorization") && shown.contains("body_bytes: 6"),
        "{shown}"
    );
}
