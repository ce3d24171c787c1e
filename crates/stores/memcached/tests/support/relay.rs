//! A relay in front of a server that stops one write in the middle of its way.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};

pub(crate) struct Relay {
    pub(crate) url: String,
    gate: Arc<(Mutex<bool>, Condvar)>,
}

impl Relay {
    /// Relays to the server on `port`, but holds back what has `held` in it, on its connection alone.
    pub(crate) fn start(port: u16, held: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("memcached://{}", listener.local_addr().unwrap());
        let gate = Arc::new((Mutex::new(false), Condvar::new()));
        let opened = Arc::clone(&gate);
        std::thread::spawn(move || {
            while let Ok((client, _)) = listener.accept() {
                let server = TcpStream::connect(("127.0.0.1", port)).unwrap();
                let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                let opened = Arc::clone(&opened);
                let wait = move |bytes: &[u8]| {
                    if bytes.windows(held.len()).any(|piece| piece == held.as_bytes()) {
                        let (is_open, changed) = &*opened;
                        drop(changed.wait_while(is_open.lock().unwrap(), |is_open| !*is_open).unwrap());
                    }
                };
                std::thread::spawn(move || pump(from, to, wait));
                std::thread::spawn(move || pump(server, client, |_| {}));
            }
        });
        Relay { url, gate }
    }

    /// Lets what is held go on, now and later.
    pub(crate) fn open(&self) {
        *self.gate.0.lock().unwrap() = true;
        self.gate.1.notify_all();
    }
}

fn pump(mut from: TcpStream, mut to: TcpStream, look: impl Fn(&[u8])) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        look(&buffer[..read]);
        if to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
