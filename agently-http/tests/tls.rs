//! TLS: whom the client believes, and what it says when it does not.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use std::sync::Arc;

use agently_http::{Client, HttpError, HttpErrorKind, Request, Url};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

use support::{builder, on_each, text, Conn, Server};

type Issuer = CertifiedIssuer<'static, KeyPair>;

fn authority(name: &str) -> Issuer {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, name);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn params(name: &str) -> CertificateParams {
    CertificateParams::new(vec![name.to_owned()]).unwrap()
}

/// A certificate by `issuer`, with its key.
fn issue(issuer: &Issuer, params: &CertificateParams) -> (rcgen::Certificate, KeyPair) {
    let key = KeyPair::generate().unwrap();
    (params.signed_by(&key, issuer).unwrap(), key)
}

fn config(identity: &(rcgen::Certificate, KeyPair), clients: Option<&Issuer>) -> ServerConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(issuer) => {
            let mut roots = RootCertStore::empty();
            roots.add(issuer.der().clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                .build()
                .unwrap();
            builder.with_client_cert_verifier(verifier)
        }
    };
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(identity.1.serialize_der()));
    builder
        .with_single_cert(vec![identity.0.der().clone()], key)
        .unwrap()
}

fn serve(
    config: ServerConfig,
    script: impl Fn(usize, &mut Conn) + Send + Sync + 'static,
) -> Server {
    let config = Arc::new(config);
    Server::start_wrapped(
        move |stream| {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            Box::new(StreamOwned::new(connection, stream))
        },
        script,
    )
}

fn polite(config: ServerConfig) -> Server {
    serve(config, |_, conn| {
        while conn.request().is_some() {
            conn.respond("safe");
        }
    })
}

fn trusting(issuer: &Issuer) -> Client {
    builder()
        .add_root_certificate_pem(issuer.pem().as_bytes())
        .build()
        .unwrap()
}

fn get(server: &Server, host: &str) -> Request {
    let port = server.address.port();
    Request::get(Url::parse(&format!("https://{host}:{port}/")).unwrap())
}

fn assert_refused(error: &HttpError, word: &str) {
    assert_eq!(error.kind(), HttpErrorKind::Tls, "{error:?}");
    assert!(!error.is_retryable());
    assert!(error.to_string().contains(word), "{word:?} in {error}");
    assert!(error.hint().is_some());
    assert!(std::error::Error::source(error).is_some());
}

#[test]
fn an_own_authority_is_believed_and_connections_are_reused() {
    let ca = authority("ours");
    on_each(|runtime| {
        let (server, client) = (
            polite(config(&issue(&ca, &params("localhost")), None)),
            trusting(&ca),
        );
        async move {
            for _ in 0..3 {
                let response = client
                    .send(&runtime, get(&server, "localhost"))
                    .await
                    .unwrap();
                assert_eq!(text(response).await, "safe");
            }
            assert_eq!(server.connections(), 1);
        }
    });
}

#[test]
fn an_address_can_be_certified_too() {
    let ca = authority("ours");
    on_each(|runtime| {
        let (server, client) = (
            polite(config(&issue(&ca, &params("127.0.0.1")), None)),
            trusting(&ca),
        );
        async move {
            let response = client
                .send(&runtime, get(&server, "127.0.0.1"))
                .await
                .unwrap();
            assert_eq!(text(response).await, "safe");
        }
    });
}

#[test]
fn c17_bad_certificates_are_refused_and_nothing_is_sent() {
    let ca = authority("ours");
    let mut expired = params("localhost");
    expired.not_before = rcgen::date_time_ymd(2001, 1, 1);
    expired.not_after = rcgen::date_time_ymd(2002, 1, 1);
    let mut early = params("localhost");
    early.not_before = rcgen::date_time_ymd(4000, 1, 1);
    let stranger = authority("strangers");
    let lone_key = KeyPair::generate().unwrap();
    let lone = (
        params("localhost").self_signed(&lone_key).unwrap(),
        lone_key,
    );
    for (identity, word) in [
        (issue(&ca, &params("other.example")), "another host name"),
        (issue(&ca, &expired), "expired"),
        (issue(&ca, &early), "not valid yet"),
        (issue(&stranger, &params("localhost")), "does not know"),
        (lone, "self-signed"),
    ] {
        let server = polite(config(&identity, None));
        let client = trusting(&ca);
        on_each(|runtime| {
            let (client, request) = (client.clone(), get(&server, "localhost"));
            async move {
                let error = client.send(&runtime, request).await.unwrap_err();
                assert_refused(&error, word);
            }
        });
        assert!(server.requests().is_empty(), "nothing was sent in plain");
    }
}

#[test]
fn a_port_without_tls_says_so() {
    let ca = authority("ours");
    on_each(|runtime| {
        let client = trusting(&ca);
        async move {
            let server = Server::start(|_, conn| {
                conn.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
                conn.wait_closed();
            });
            let error = client
                .send(&runtime, get(&server, "localhost"))
                .await
                .unwrap_err();
            assert_refused(&error, "does not speak TLS");
            assert!(error.to_string().contains("http://"));
        }
    });
}

#[test]
fn c06_an_end_without_close_notify() {
    let ca = authority("ours");
    on_each(|runtime| {
        let identity = config(&issue(&ca, &params("localhost")), None);
        let client = trusting(&ca);
        async move {
            // Dropping the stream closes the socket without a word of TLS.
            let server = serve(identity, |number, conn| {
                conn.request();
                conn.send(match number {
                    0 => "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfull",
                    1 => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
                    _ => "HTTP/1.1 200 OK\r\n\r\nuntil the end",
                });
            });
            let request = || get(&server, "localhost");
            let response = client.send(&runtime, request()).await.unwrap();
            assert_eq!(text(response).await, "full");
            for _ in 0..2 {
                let response = client.send(&runtime, request()).await.unwrap();
                let error = response.into_body().collect(100).await.unwrap_err();
                assert_eq!(error.kind(), HttpErrorKind::Truncated, "{error:?}");
            }
            assert_eq!(server.connections(), 3);
        }
    });
}

#[test]
fn a_client_certificate_is_shown_where_it_is_asked_for() {
    let ca = authority("ours");
    let server = polite(config(&issue(&ca, &params("localhost")), Some(&ca)));
    let (certificate, key) = issue(&ca, &params("client"));
    let known = builder()
        .add_root_certificate_pem(ca.pem().as_bytes())
        .client_identity_pem(certificate.pem().as_bytes(), key.serialize_pem().as_bytes())
        .build()
        .unwrap();
    let unknown = trusting(&ca);
    on_each(|runtime| {
        let (known, unknown) = (known.clone(), unknown.clone());
        let request = get(&server, "localhost");
        async move {
            let response = known.send(&runtime, request.clone()).await.unwrap();
            assert_eq!(text(response).await, "safe");
            let error = unknown.send(&runtime, request).await.unwrap_err();
            assert_refused(&error, "client certificate");
        }
    });
}

#[test]
fn pem_that_is_none_is_refused_when_the_client_is_built() {
    let ca = authority("ours");
    let (certificate, key) = issue(&ca, &params("client"));
    for builder in [
        builder().add_root_certificate_pem(b"no certificate"),
        builder().add_root_certificate_pem(key.serialize_pem().as_bytes()),
        builder().client_identity_pem(b"", key.serialize_pem().as_bytes()),
        builder().client_identity_pem(certificate.pem().as_bytes(), b"no key"),
    ] {
        let error = builder.build().unwrap_err();
        assert_eq!(error.kind(), HttpErrorKind::Config);
        assert!(error.to_string().contains("PEM"), "{error}");
    }
}
