//! TLS: built on the first `https` connection, with a crypto provider of its own.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;

use agently_api::rt::{BoxIo, Runtime};
use futures_rustls::TlsConnector;
use futures_util::lock::Mutex;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{CertificateError, ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;

use crate::{HttpError, HttpErrorKind};

/// What the user set.
pub(crate) struct TlsSettings {
    roots: Vec<CertificateDer<'static>>,
    identity: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
}

impl TlsSettings {
    pub(crate) fn read(
        root_pems: &[Vec<u8>],
        identity: Option<(&[u8], &[u8])>,
    ) -> Result<Self, HttpError> {
        let mut roots = Vec::new();
        for pem in root_pems {
            roots.extend(certificates(pem, "a root certificate")?);
        }
        let mut store = RootCertStore::empty();
        for root in &roots {
            store.add(root.clone()).map_err(|error| {
                HttpError::config("a root certificate cannot be used").with_source(error)
            })?;
        }
        let identity = match identity {
            None => None,
            Some((chain, key)) => {
                let chain = certificates(chain, "the client certificate")?;
                let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| {
                    HttpError::config("the client certificate's key is no private key in PEM")
                        .with_hint(
                            "it begins with -----BEGIN PRIVATE KEY-----, and is not encrypted",
                        )
                        .with_source(error)
                })?;
                Some((chain, key))
            }
        };
        Ok(Self { roots, identity })
    }

    /// Reads the machine's certificates: blocking.
    fn config(&self) -> Result<ClientConfig, HttpError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let unusable = |what: &str, error: rustls::Error| {
            HttpError::config(format!("TLS cannot be set up: {what}")).with_source(error)
        };
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| unusable("no protocol version in common", error))?
            // rustls' word for a verifier of one's own. This one is the platform's.
            .dangerous()
            .with_custom_certificate_verifier(self.verifier(provider)?);
        let mut config = match &self.identity {
            None => builder.with_no_client_auth(),
            Some((chain, key)) => builder
                .with_client_auth_cert(chain.clone(), key.clone_key())
                .map_err(|error| {
                    unusable("the client certificate and its key do not fit", error)
                })?,
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }

    fn verifier(
        &self,
        provider: Arc<CryptoProvider>,
    ) -> Result<Arc<dyn ServerCertVerifier>, HttpError> {
        // Roots of the user's own must not hide that the machine has none.
        #[cfg(feature = "webpki-roots")]
        if !self.roots.is_empty() {
            if let Err(error) = Verifier::new(Arc::clone(&provider)) {
                return self.verifier_without_platform(provider, error);
            }
        }
        match Verifier::new_with_extra_roots(self.roots.iter().cloned(), Arc::clone(&provider)) {
            Ok(verifier) => Ok(Arc::new(verifier)),
            Err(error) => self.verifier_without_platform(provider, error),
        }
    }

    #[cfg(feature = "webpki-roots")]
    fn verifier_without_platform(
        &self,
        provider: Arc<CryptoProvider>,
        _: rustls::Error,
    ) -> Result<Arc<dyn ServerCertVerifier>, HttpError> {
        use rustls::client::WebPkiServerVerifier;

        let mut store = RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        };
        store.add_parsable_certificates(self.roots.iter().cloned());
        match WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider).build() {
            Ok(verifier) => Ok(verifier),
            Err(error) => Err(HttpError::new(
                HttpErrorKind::Tls,
                "the built-in root certificates cannot be used",
            )
            .with_source(error)),
        }
    }

    #[cfg(not(feature = "webpki-roots"))]
    fn verifier_without_platform(
        &self,
        _: Arc<CryptoProvider>,
        error: rustls::Error,
    ) -> Result<Arc<dyn ServerCertVerifier>, HttpError> {
        Err(HttpError::new(
            HttpErrorKind::Tls,
            "this machine has no CA certificates to check a server's certificate with",
        )
        .with_hint(
            "install the system's `ca-certificates`, point SSL_CERT_FILE at a PEM bundle, or build \
             with the cargo feature `webpki-roots`",
        )
        .with_source(error))
    }
}

fn certificates(pem: &[u8], what: &str) -> Result<Vec<CertificateDer<'static>>, HttpError> {
    let unreadable = || {
        HttpError::config(format!("{what} is no certificate in PEM"))
            .with_hint("it begins with -----BEGIN CERTIFICATE-----")
    };
    let found = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| unreadable().with_source(error))?;
    if found.is_empty() {
        return Err(unreadable());
    }
    Ok(found)
}

/// TLS for the connections of one client.
pub(crate) struct Tls {
    settings: Arc<TlsSettings>,
    config: Mutex<Option<Arc<ClientConfig>>>,
}

impl Tls {
    pub(crate) fn new(settings: TlsSettings) -> Self {
        Self {
            settings: Arc::new(settings),
            config: Mutex::new(None),
        }
    }

    /// The configuration, made on first use. Callers that come together wait for one making.
    async fn config(&self, runtime: &Runtime) -> Result<Arc<ClientConfig>, HttpError> {
        let mut slot = self.config.lock().await;
        if let Some(config) = &*slot {
            return Ok(Arc::clone(config));
        }
        let settings = Arc::clone(&self.settings);
        let made = runtime.spawn_blocking(move || settings.config()).await;
        let config = Arc::new(made.map_err(|error| {
            HttpError::new(
                HttpErrorKind::Cancelled,
                "the runtime stopped while TLS was being set up",
            )
            .with_source(error)
        })??);
        *slot = Some(Arc::clone(&config));
        Ok(config)
    }

    /// Puts TLS over `stream`, for a server that must prove to be `host`.
    pub(crate) async fn handshake(
        &self,
        runtime: &Runtime,
        host: &str,
        port: u16,
        stream: BoxIo,
    ) -> Result<BoxIo, HttpError> {
        let name = ServerName::try_from(host.to_owned()).map_err(|error| {
            HttpError::config(format!(
                "{host:?} is no host name that a certificate can be for"
            ))
            .with_source(error)
        })?;
        let connector = TlsConnector::from(self.config(runtime).await?);
        match connector.connect(name, stream).await {
            Ok(stream) => Ok(Box::new(stream)),
            Err(error) => Err(explain(error, host, port)),
        }
    }
}

fn explain(error: io::Error, host: &str, port: u16) -> HttpError {
    let place = if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    };
    let Some(tls) = rustls_error(&error) else {
        return HttpError::new(
            HttpErrorKind::Connect,
            format!("the connection to {place} was lost during the TLS handshake"),
        )
        .with_source(error);
    };
    let (what, hint) = match tls {
        rustls::Error::InvalidCertificate(reason) => certificate(reason),
        rustls::Error::InvalidMessage(_) => (
            "the server does not speak TLS on this port",
            "check the port, and whether http:// is meant",
        ),
        rustls::Error::AlertReceived(
            rustls::AlertDescription::CertificateRequired | rustls::AlertDescription::AccessDenied,
        ) => (
            "the server asks for a client certificate",
            "set one with `client_identity_pem`",
        ),
        rustls::Error::AlertReceived(_) => (
            "the server broke off the handshake",
            "check the host name, and whether the server wants a client certificate or only speaks old TLS versions",
        ),
        _ => (
            "the handshake failed",
            "TLS 1.2 or 1.3 is needed; check that the port is the right one",
        ),
    };
    HttpError::new(
        HttpErrorKind::Tls,
        format!("no safe connection to {place}: {what}"),
    )
    .with_hint(hint)
    .with_source(error)
}

/// What is wrong with a certificate, and what to do about it.
fn certificate(reason: &CertificateError) -> (&'static str, &'static str) {
    const UNKNOWN: (&str, &str) = (
        "its certificate is self-signed or from an authority that this machine does not know",
        "for a private authority, add its certificate with `add_root_certificate_pem` or SSL_CERT_FILE",
    );
    match reason {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => (
            "its certificate has expired",
            "renew it on the server, and check this machine's clock",
        ),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => (
            "its certificate is not valid yet",
            "check this machine's clock",
        ),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => (
            "its certificate is for another host name",
            "use the name that the certificate was made for",
        ),
        CertificateError::Revoked => (
            "its certificate has been revoked",
            "ask whoever runs the server",
        ),
        CertificateError::UnknownIssuer => UNKNOWN,
        // A self-signed certificate that is marked as an authority.
        CertificateError::Other(other) if format!("{other:?}").contains("CaUsedAsEndEntity") => {
            UNKNOWN
        }
        _ => (
            "its certificate cannot be accepted",
            "ask whoever runs the server",
        ),
    }
}

fn rustls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref::<rustls::Error>()
}

/// The TLS failure below an error of an open connection, if that is its cause.
pub(crate) fn cause(error: &(dyn Error + 'static)) -> Option<HttpError> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(tls) = error.downcast_ref::<io::Error>().and_then(rustls_error) {
            return Some(match tls {
                // With TLS 1.3 the server looks at our certificate after our handshake is over.
                rustls::Error::AlertReceived(_) => {
                    HttpError::new(HttpErrorKind::Tls, "the server broke off TLS").with_hint(
                        "check whether it wants a client certificate (`client_identity_pem`)",
                    )
                }
                _ => HttpError::new(HttpErrorKind::Tls, "TLS failed on an open connection"),
            });
        }
        next = error.source();
    }
    None
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

#[cfg(all(test, feature = "webpki-roots", target_os = "linux"))]
mod tests {
    use super::*;

    /// Which authorities are trusted cannot be seen from outside without a server that has a
    /// certificate of one of them. Alone in its process, because it changes the environment.
    #[test]
    fn a_root_of_ones_own_does_not_hide_that_the_machine_has_none() {
        for name in ["SSL_CERT_FILE", "SSL_CERT_DIR"] {
            std::env::set_var(name, "/nonexistent");
        }
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = rcgen::KeyPair::generate().unwrap();
        let own = params.self_signed(&key).unwrap().pem().into_bytes();

        let trusted = |pems: &[Vec<u8>]| {
            let settings = TlsSettings::read(pems, None).unwrap();
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let verifier = format!("{:?}", settings.verifier(provider).unwrap());
            let (_, rest) = verifier.split_once("roots: \"(").unwrap();
            let (count, _) = rest.split_once(' ').unwrap();
            count.parse::<usize>().unwrap()
        };
        let built_in = trusted(&[]);
        assert_eq!(built_in, webpki_roots::TLS_SERVER_ROOTS.len());
        assert_eq!(trusted(&[own]), built_in + 1);
    }
}
