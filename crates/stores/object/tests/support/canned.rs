//! A server that gives everybody the same answer, and remembers what it was asked.

#![allow(dead_code, reason = "no test uses all of it")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

pub(crate) struct Canned {
    url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Canned {
    /// Answers with that status and body; not at all, where there is no status.
    pub(crate) fn new(status: Option<u16>, body: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&requests);
        // Ends with the process.
        thread::spawn(move || {
            for connection in listener.incoming() {
                let noted = Arc::clone(&noted);
                thread::spawn(move || answer(&connection.unwrap(), status, body, &noted));
            }
        });
        Canned { url, requests }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The first lines of the requests, in order.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn answer(stream: &TcpStream, status: Option<u16>, body: &str, noted: &Mutex<Vec<String>>) {
    let (mut reader, mut writer) = (BufReader::new(stream), stream);
    loop {
        let mut first = String::new();
        if reader.read_line(&mut first).unwrap_or(0) == 0 {
            return;
        }
        let mut length = 0;
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).unwrap();
            if let Some(said) = header.to_lowercase().strip_prefix("content-length:") {
                length = said.trim().parse().unwrap();
            }
            if header.trim().is_empty() {
                break;
            }
        }
        let mut content = vec![0; length];
        reader.read_exact(&mut content).unwrap();
        noted.lock().unwrap().push(first.trim().to_owned());
        let Some(status) = status else { continue };
        let answer = format!("HTTP/1.1 {status} Canned\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        if writer.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}
