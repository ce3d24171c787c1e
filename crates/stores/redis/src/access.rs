//! How a client of the driver is made for a server.

use crate::address::{Endpoint, Login};
use redis::{
    Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, ProtocolVersion, RedisConnectionInfo,
    RedisError,
};
#[cfg(feature = "tls")]
use redis::{ClientTlsConfig, TlsCertificates};

/// Who we are to servers, and whether they are spoken to over TLS.
#[derive(Clone)]
pub(crate) struct Access {
    pub(crate) login: Login,
    pub(crate) database: u32,
    pub(crate) tls: bool,
    #[cfg(feature = "tls")]
    pub(crate) root: Option<Vec<u8>>,
    #[cfg(feature = "tls")]
    pub(crate) client: Option<ClientTlsConfig>,
}

impl Access {
    /// Whether what was given can be certificates and a key. The driver passes over what it cannot read.
    #[cfg(feature = "tls")]
    pub(crate) fn check(&self) -> larder_core::Result<()> {
        let has = |pem: &[u8], what: &str| {
            str::from_utf8(pem).is_ok_and(|pem| pem.contains("-----BEGIN ") && pem.contains(what))
        };
        let roots = self.root.iter().map(|pem| (pem, "CERTIFICATE-----", ".root_certificates"));
        let client = self.client.iter().flat_map(|client| {
            [(&client.client_cert, "CERTIFICATE-----"), (&client.client_key, "PRIVATE KEY-----")]
                .map(|(pem, what)| (pem, what, ".client_certificate"))
        });
        for (pem, what, method) in roots.chain(client) {
            if !has(pem, what) {
                let what = what.trim_end_matches('-').to_lowercase();
                let message = format!("what was given to `{method}` is no {what} in PEM");
                return Err(larder_core::Error::new(larder_core::ErrorKind::Config, message));
            }
        }
        Ok(())
    }

    /// Makes a client, which does not connect yet.
    pub(crate) fn client(&self, endpoint: &Endpoint) -> Result<Client, RedisError> {
        let info = self.info(endpoint)?;
        #[cfg(feature = "tls")]
        if self.tls {
            // An error says that the process has chosen, which is its right.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        #[cfg(feature = "tls")]
        if let Some(certificates) = self.certificates().filter(|_| self.tls) {
            return Client::build_with_tls(info, certificates);
        }
        Client::open(info)
    }

    /// The certificates that were given, if any.
    #[cfg(feature = "tls")]
    pub(crate) fn certificates(&self) -> Option<TlsCertificates> {
        let given = self.root.is_some() || self.client.is_some();
        given.then(|| TlsCertificates { client_tls: self.client.clone(), root_cert: self.root.clone() })
    }

    fn info(&self, endpoint: &Endpoint) -> Result<ConnectionInfo, RedisError> {
        let mut settings = RedisConnectionInfo::default()
            .set_db(i64::from(self.database))
            .set_protocol(ProtocolVersion::RESP3);
        if let Some(user) = &self.login.user {
            settings = settings.set_username(user);
        }
        if let Some(password) = &self.login.password {
            settings = settings.set_password(password.reveal());
        }
        Ok(addr(endpoint, self.tls).into_connection_info()?.set_redis_settings(settings))
    }
}

pub(crate) fn addr(endpoint: &Endpoint, tls: bool) -> ConnectionAddr {
    match endpoint.clone() {
        Endpoint::Tcp(host, port) if tls => {
            ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None }
        }
        Endpoint::Tcp(host, port) => ConnectionAddr::Tcp(host, port),
        Endpoint::Unix(path) => ConnectionAddr::Unix(path),
    }
}
