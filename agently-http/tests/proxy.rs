//! Proxies: when, which, and what they answer.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use std::io::Read;
use std::net::TcpStream;

use agently_api::secret::Secret;
use agently_http::{Client, HttpErrorKind, ProxyConfig, Request, Url};

use support::{client, on_each, text, Conn, Server};

fn through(proxy: ProxyConfig) -> Client {
    Client::builder().proxy(proxy).build().unwrap()
}

fn request(url: &str) -> Request {
    Request::get(Url::parse(url).unwrap())
}

/// A proxy that answers plain requests itself.
fn plain_proxy() -> Server {
    Server::start(|_, conn| {
        while conn.request().is_some() {
            conn.respond("from the proxy");
        }
    })
}

#[test]
fn plain_http_goes_through_in_absolute_form() {
    on_each(|runtime| async move {
        let proxy = plain_proxy();
        let url = format!("http://us%65r:p%40ss@{}", proxy.address);
        let client = through(ProxyConfig::url(url));
        let target = "http://model.example:8080/v1?x=1";
        for _ in 0..2 {
            let response = client.send(&runtime, request(target)).await.unwrap();
            assert_eq!(text(response).await, "from the proxy");
        }
        let seen = &proxy.requests()[0];
        assert!(
            seen.starts_with(&format!("GET {target} HTTP/1.1\r\n")),
            "{seen}"
        );
        assert!(seen.contains("host: model.example:8080\r\n"));
        // "user:p@ss"
        assert!(
            seen.contains("proxy-authorization: Basic dXNlcjpwQHNz\r\n"),
            "{seen}"
        );
        assert_eq!(proxy.connections(), 1, "connections to the proxy are kept");
        assert!(!format!("{client:?}").contains("p@ss"));
        assert!(!format!("{client:?}").contains("dXNl"));
    });
}

#[test]
fn credentials_do_not_go_through_a_proxy_in_plain() {
    on_each(|runtime| async move {
        let proxy = plain_proxy();
        let client = through(ProxyConfig::url(format!("http://{}", proxy.address)));
        let request = request("http://model.example/")
            .with_bearer(&Secret::new("k"))
            .unwrap();
        let error = client.send(&runtime, request).await.unwrap_err();
        assert_eq!(error.kind(), HttpErrorKind::Config);
        assert_eq!(proxy.connections(), 0);
    });
}

#[test]
fn https_asks_for_a_tunnel_and_sends_nothing_else_in_plain() {
    on_each(|runtime| async move {
        // The tunnel leads to a server without TLS, which the handshake must find out.
        let behind = Server::start(|_, conn| {
            conn.send("nothing like TLS\r\n\r\n");
            conn.wait_closed();
        });
        let target = behind.address;
        let proxy = Server::start(move |_, conn| {
            conn.request();
            conn.send("HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n");
            let mut there = TcpStream::connect(target).unwrap();
            let mut hello = [0; 5];
            conn.stream.read_exact(&mut hello).unwrap();
            assert_eq!(hello[0], 0x16, "the first byte is a TLS handshake");
            let mut answer = [0; 16];
            there.read_exact(&mut answer).unwrap();
            conn.send(answer);
            conn.wait_closed();
        });
        let url = format!("http://u:secret-pw@{}", proxy.address);
        let client = through(ProxyConfig::url(url));
        let request = request("https://model.example/v1/chat?q=1")
            .with_bearer(&Secret::new("sk-canary"))
            .unwrap();
        let error = client.send(&runtime, request).await.unwrap_err();
        assert_eq!(error.kind(), HttpErrorKind::Tls, "{error:?}");
        let seen = &proxy.requests()[0];
        assert!(
            seen.starts_with("CONNECT model.example:443 HTTP/1.1\r\nHost: model.example:443\r\n"),
            "{seen}"
        );
        assert!(
            !seen.contains("canary") && !seen.contains("/v1/chat"),
            "{seen}"
        );
    });
}

#[test]
fn c20_a_proxy_that_refuses() {
    for (answer, status, word) in [
        ("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Type: text/html\r\nContent-Length: 9999\r\n\r\n<html>", Some(407), "user name"),
        ("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 6\r\n\r\n<html>", Some(502), "502"),
        ("HTTP/1.1 200 OK\r\n\r\nsurprise", None, "asked for"),
        ("220 smtp ready\r\n\r\n", None, "not HTTP"),
        ("HTTP/1.1 200", None, "closed"),
        ("", None, "closed"),
    ] {
        on_each(|runtime| async move {
            let proxy = Server::start(move |_, conn: &mut Conn| {
                conn.request();
                conn.send(answer);
            });
            let url = format!("http://me:secret-pw@{}", proxy.address);
            let client = through(ProxyConfig::url(url));
            let error = client
                .send(&runtime, request("https://model.example/?q=canary"))
                .await
                .unwrap_err();
            assert_eq!(error.kind(), HttpErrorKind::Proxy, "{error:?}");
            assert!(!error.is_retryable());
            assert_eq!(error.status(), status);
            let shown = format!("{error} {error:?}");
            assert!(shown.contains(word), "{word:?} in {shown}");
            assert!(shown.contains(&proxy.address.to_string()));
            for secret in ["secret-pw", "canary", "<html>", "bWU6"] {
                assert!(!shown.contains(secret), "{secret} in {shown}");
            }
        });
    }
}

#[test]
fn a_proxy_that_is_not_there() {
    on_each(|runtime| async move {
        let gone = {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            listener.local_addr().unwrap()
        };
        let client = through(ProxyConfig::url(gone.to_string()));
        let error = client
            .send(&runtime, request("http://model.example/"))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), HttpErrorKind::Proxy);
        assert!(error.to_string().contains("NO_PROXY"), "{error}");
    });
}

/// Which proxy a URL goes through: each stands for itself by what it answers.
struct Choice {
    upper: Server,
    lower: Server,
    all: Server,
    direct: Server,
}

#[test]
fn the_environment_is_read_as_usual() {
    let answering = |body: &'static str| {
        Server::start(move |_, conn: &mut Conn| {
            while conn.request().is_some() {
                conn.respond(body);
            }
        })
    };
    let servers = Choice {
        upper: answering("upper"),
        lower: answering("lower"),
        all: answering("all"),
        direct: answering("direct"),
    };
    let at = |server: &Server| format!("http://{}", server.address);
    let (upper, lower, all) = (at(&servers.upper), at(&servers.lower), at(&servers.all));
    let far = "http://model.example/".to_owned();
    let near = at(&servers.direct);
    for (variables, url, expected) in [
        (vec![("HTTP_PROXY", &upper)], &far, "upper"),
        (
            vec![("HTTP_PROXY", &upper), ("http_proxy", &lower)],
            &far,
            "lower",
        ),
        (vec![("ALL_PROXY", &all)], &far, "all"),
        (
            vec![("ALL_PROXY", &all), ("HTTP_PROXY", &upper)],
            &far,
            "upper",
        ),
        // This machine is never reached through the environment's proxy.
        (vec![("HTTP_PROXY", &upper)], &near, "direct"),
        (vec![("HTTPS_PROXY", &upper)], &near, "direct"),
        (vec![], &near, "direct"),
    ] {
        let owned: Vec<(String, String)> = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).clone()))
            .collect();
        let config = ProxyConfig::from_lookup(move |name| {
            owned
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, value)| value.clone())
        });
        on_each(|runtime| {
            let (client, request) = (through(config.clone()), request(url));
            async move {
                let response = client.send(&runtime, request).await.unwrap();
                assert_eq!(text(response).await, expected);
            }
        });
    }
}

#[test]
fn a_cgi_script_does_not_trust_http_proxy() {
    let proxy = plain_proxy();
    let (_, real) = &support::runtimes()[0];
    let parts = support::Parts::of(real);
    let runtime = agently_api::rt::Runtime::new(
        parts.clone(),
        parts.clone(),
        OnlyTo(parts, proxy.address.port()),
    );
    for (cgi, proxied) in [(false, true), (true, false)] {
        let url = format!("http://{}", proxy.address);
        let config = ProxyConfig::from_lookup(move |name| match name {
            "REQUEST_METHOD" => cgi.then(|| "GET".to_owned()),
            "HTTP_PROXY" => Some(url.clone()),
            _ => None,
        });
        let client = through(config);
        let sent = real
            .block_on(client.send(&runtime, request("http://model.example/")))
            .unwrap();
        assert_eq!(sent.is_ok(), proxied, "{sent:?}");
    }
}

#[test]
fn no_proxy_rules() {
    let table = [
        ("example.com", "example.com", true),
        ("example.com", "api.example.com", true),
        ("example.com", "notexample.com", false),
        ("example.com", "example.com.evil.test", false),
        (".example.com", "api.example.com", true),
        (".example.com", "example.com", true),
        ("*.example.com", "api.example.com", true),
        ("EXAMPLE.com", "api.example.COM", true),
        ("*", "anything.test", true),
        ("a.test, b.test", "b.test", true),
        ("a.test b.test", "b.test", true),
        ("", "a.test", false),
        (",, ,", "a.test", false),
        ("a.test:8080", "a.test:8080", true),
        ("a.test:8080", "a.test:8081", false),
        ("10.0.0.0/8", "10.200.3.4", true),
        ("10.0.0.0/8", "11.0.0.1", false),
        ("10.1.2.3", "10.1.2.3", true),
        ("10.1.2.3", "10.1.2.30", false),
        ("0.0.0.0/0", "203.0.113.9", true),
        ("192.168.0.0/16:81", "192.168.1.1:81", true),
        ("192.168.0.0/16:81", "192.168.1.1:80", false),
        ("fd00::/8", "[fd12::1]", true),
        ("fd00::/8", "[fe80::1]", false),
        ("[2001:db8::1]:8080", "[2001:db8::1]:8080", true),
        ("2001:db8::1", "[2001:db8::1]", true),
        ("10.0.0.0/99", "10.0.0.1", false),
        ("10.0.0.0/8", "ten.example", false),
    ];
    let proxy = plain_proxy();
    // Where the rule applies, the client goes to the host itself, which no connector knows.
    let (_, real) = &support::runtimes()[0];
    let parts = support::Parts::of(real);
    for (rules, host, direct) in table {
        let client = through(ProxyConfig::url(format!("http://{}", proxy.address)).no_proxy(rules));
        let runtime = agently_api::rt::Runtime::new(
            parts.clone(),
            parts.clone(),
            OnlyTo(parts.clone(), proxy.address.port()),
        );
        let sent = real
            .block_on(client.send(&runtime, request(&format!("http://{host}/"))))
            .unwrap();
        assert_eq!(sent.is_err(), direct, "{rules:?} and {host:?}: {sent:?}");
    }
}

/// Connects to this port of this machine, and nowhere else.
#[derive(Debug)]
struct OnlyTo(support::Parts, u16);

impl agently_api::rt::Connector for OnlyTo {
    fn connect<'a>(
        &'a self,
        host: &'a str,
        port: u16,
    ) -> agently_api::BoxFuture<'a, std::io::Result<agently_api::rt::BoxIo>> {
        if port == self.1 && host == "127.0.0.1" {
            self.0.connect(host, port)
        } else {
            Box::pin(async { Err(std::io::ErrorKind::ConnectionRefused.into()) })
        }
    }
}

#[test]
fn a_proxy_setting_that_cannot_be_used_is_refused_when_the_client_is_built() {
    for (url, word) in [
        ("socks5://me:secret-pw@proxy:1080", "socks5"),
        ("http://me:secret-pw@", "host"),
        ("http://me:secret-pw@proxy:port", "port"),
        ("http://me:se/secret-pw@proxy:port", "port"),
        ("http://me:se?secret-pw@proxy:port", "port"),
        ("http://me:se#secret-pw@proxy:port", "port"),
        ("me:secret-pw://@proxy:1", "such"),
    ] {
        let error = Client::builder()
            .proxy(ProxyConfig::url(url))
            .build()
            .unwrap_err();
        assert_eq!(error.kind(), HttpErrorKind::Config);
        let shown = format!("{error} {error:?}");
        assert!(shown.contains(word), "{shown}");
        assert!(!shown.contains("secret-pw"), "{shown}");
    }
}

#[test]
fn a_proxy_of_the_environment_that_cannot_be_used_fails_only_what_would_go_through_it() {
    on_each(|runtime| async move {
        let near = plain_proxy();
        for (name, value) in [
            ("ALL_PROXY", "socks5://me:secret-pw@127.0.0.1:7890"),
            ("all_proxy", "socks5h://127.0.0.1:7890"),
            ("HTTP_PROXY", "http://me:se/secret-pw@proxy:port"),
        ] {
            let client = through(ProxyConfig::from_lookup(move |asked| match asked {
                "NO_PROXY" => Some("excluded.invalid".to_owned()),
                _ => (asked == name).then(|| value.to_owned()),
            }));
            // This machine is reached without it.
            let response = client.send(&runtime, near.get()).await.unwrap();
            assert_eq!(text(response).await, "from the proxy");
            // So is what is excluded: it gets as far as the name.
            let excluded = request("http://excluded.invalid/");
            let error = client.send(&runtime, excluded).await.unwrap_err();
            assert_eq!(error.kind(), HttpErrorKind::Connect);
            let error = client
                .send(&runtime, request("http://model.example/"))
                .await
                .unwrap_err();
            assert_eq!(error.kind(), HttpErrorKind::Config);
            let shown = format!("{error} {error:?}");
            assert!(shown.contains(name), "{shown}");
            assert!(!shown.contains("secret-pw"), "{shown}");
        }
    });
}

#[test]
fn a_socks_proxy_is_passed_over_where_there_is_another() {
    on_each(|runtime| async move {
        let proxy = plain_proxy();
        for (first, second) in [
            ("HTTP_PROXY", "ALL_PROXY"),
            ("ALL_PROXY", "HTTP_PROXY"),
            ("ALL_PROXY", "all_proxy"),
        ] {
            let good = format!("http://{}", proxy.address);
            let client = through(ProxyConfig::from_lookup(move |asked| {
                if asked == first {
                    Some(good.clone())
                } else {
                    (asked == second).then(|| "socks5://127.0.0.1:7890".to_owned())
                }
            }));
            let response = client
                .send(&runtime, request("http://model.example/"))
                .await
                .unwrap();
            assert_eq!(text(response).await, "from the proxy");
        }
    });
}

#[test]
fn a_password_may_hold_any_character() {
    on_each(|runtime| async move {
        let proxy = plain_proxy();
        for (password, coded) in [
            ("S3cr/et", "dXNlcjpTM2NyL2V0"),
            ("S3cr?et", "dXNlcjpTM2NyP2V0"),
            ("S3cr@et", "dXNlcjpTM2NyQGV0"),
        ] {
            let url = format!("http://user:{password}@{}", proxy.address);
            let client = through(ProxyConfig::url(url));
            let response = client
                .send(&runtime, request("http://model.example/"))
                .await
                .unwrap();
            assert_eq!(text(response).await, "from the proxy");
            let requests = proxy.requests();
            let seen = requests.last().unwrap();
            let line = format!("proxy-authorization: Basic {coded}\r\n");
            assert!(seen.contains(&line), "{password}: {seen}");
        }
    });
}

#[test]
fn no_proxy_at_all() {
    on_each(|runtime| async move {
        let server = plain_proxy();
        let response = client().send(&runtime, server.get()).await.unwrap();
        assert_eq!(text(response).await, "from the proxy");
        assert!(server.requests()[0].starts_with("GET / HTTP/1.1"));
    });
}
