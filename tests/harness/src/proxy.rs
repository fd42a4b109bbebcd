//! A bad line to a registry, or a registry of another kind.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use ureq::http::StatusCode;

use crate::image::manifest_types;

/// What goes wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is answered with status 500 and never reaches the registry.
    ServerError,
    /// The connection breaks in the middle of what is sent: the body of an
    /// upload, or else the answer.
    Cut,
    /// It waits until such requests do not fail any more, and is then passed on.
    Stall,
}

/// What somebody asks of a registry.
#[derive(Debug)]
pub struct Request {
    /// `GET`, `PUT`, and the like.
    pub method: String,
    /// The path, with its query.
    pub path: String,
    /// The type of what is sent, or nothing.
    pub media_type: String,
    upstream: String,
    /// Everything before the body, changed to ask for one answer only.
    head: String,
    has_body: bool,
}

/// What a registry says in place of doing what it is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    /// The status of HTTP.
    pub status: u16,
    /// The words.
    pub body: &'static str,
}

/// A registry's ways: what it answers by itself.
#[derive(Clone)]
struct Ways(Arc<dyn Fn(&Request) -> Option<Answer> + Send + Sync>);

impl fmt::Debug for Ways {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ways")
    }
}

/// A proxy for plain HTTP that passes everything on until it is told to fail.
#[derive(Debug)]
pub struct FaultyProxy {
    address: String,
    state: Arc<Mutex<State>>,
    listener: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct State {
    rules: Vec<Rule>,
    ways: Option<Ways>,
    hits: usize,
    closing: bool,
}

/// What happens to requests that have this in their path.
#[derive(Debug)]
struct Rule {
    part: String,
    fault: Fault,
    once: bool,
}

impl State {
    /// The number of the rule for a path.
    fn rule(&self, path: &str) -> Option<usize> {
        let mut rules = self.rules.iter();
        rules.position(|rule| path.contains(&rule.part))
    }

    /// What happens to a request that has just come.
    fn meet(&mut self, path: &str) -> Option<Fault> {
        let number = self.rule(path)?;
        self.hits += 1;
        let Rule { fault, once, .. } = self.rules[number];
        if once {
            self.rules.remove(number);
        }
        Some(fault)
    }
}

impl FaultyProxy {
    /// Stands in front of the server at `upstream`, `127.0.0.1:PORT`.
    #[track_caller]
    pub fn before(upstream: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        let address = listener.local_addr().expect("it listens").to_string();
        let state = Arc::new(Mutex::new(State::default()));
        let (upstream, shared) = (upstream.to_owned(), Arc::clone(&state));
        let accept = move || {
            for client in listener.incoming().flatten() {
                if lock(&shared).closing {
                    break;
                }
                let (upstream, shared) = (upstream.clone(), Arc::clone(&shared));
                // Such a thread ends with its connection, and an error in it is
                // one of the two sides gone: nothing to tell anyone.
                thread::spawn(move || serve(&client, &upstream, &shared));
            }
        };
        Self {
            address,
            state,
            listener: Some(thread::spawn(accept)),
        }
    }

    /// Where it listens, `127.0.0.1:PORT`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// From now on, every request whose path (with its query) has `part` in it fails.
    pub fn fail(&self, part: &str, fault: Fault) {
        self.add(part, fault, false);
    }

    /// The next request whose path has `part` in it fails, and no other.
    pub fn fail_once(&self, part: &str, fault: Fault) {
        self.add(part, fault, true);
    }

    fn add(&self, part: &str, fault: Fault, once: bool) {
        let part = part.to_owned();
        lock(&self.state).rules.push(Rule { part, fault, once });
    }

    /// From now on, what `ways` has an answer for does not reach the registry.
    pub fn answer(&self, ways: impl Fn(&Request) -> Option<Answer> + Send + Sync + 'static) {
        lock(&self.state).ways = Some(Ways(Arc::new(ways)));
    }

    /// From now on, nothing fails.
    pub fn heal(&self) {
        let mut state = lock(&self.state);
        state.rules.clear();
        state.ways = None;
    }

    /// How many requests have met a fault or an answer: a test of a fault that nobody met proves nothing.
    pub fn hits(&self) -> usize {
        lock(&self.state).hits
    }
}

impl Drop for FaultyProxy {
    fn drop(&mut self) {
        lock(&self.state).closing = true;
        // Wakes the listener.
        let _ = TcpStream::connect(&self.address);
        if let Some(listener) = self.listener.take() {
            let _ = listener.join();
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state
        .lock()
        .expect("no thread panics with the state in hand")
}

/// Serves one request, the only one of its connection.
fn serve(client: &TcpStream, upstream: &str, state: &Mutex<State>) -> io::Result<()> {
    let mut from_client = BufReader::new(client);
    let Some(request) = Request::read(&mut from_client, upstream)? else {
        return Ok(());
    };
    let ways = lock(state).ways.clone();
    if let Some(answer) = ways.and_then(|ways| ways.0(&request)) {
        lock(state).hits += 1;
        return reply(client, &mut from_client, &request, answer);
    }
    let fault = lock(state).meet(&request.path);
    let stalls = || {
        let state = lock(state);
        fault == Some(Fault::Stall) && !state.closing && state.rule(&request.path).is_some()
    };
    while stalls() {
        thread::sleep(Duration::from_millis(5));
    }
    if fault == Some(Fault::ServerError) {
        let error = Answer {
            status: 500,
            body: "",
        };
        return reply(client, &mut from_client, &request, error);
    }

    let registry = TcpStream::connect(upstream)?;
    (&registry).write_all(request.head.as_bytes())?;
    if fault == Some(Fault::Cut) {
        if request.has_body {
            let sent = from_client.fill_buf()?;
            (&registry).write_all(&sent[..sent.len() / 2])?;
        } else {
            let mut answer = Vec::new();
            (&registry).read_to_end(&mut answer)?;
            let mut to_client = client;
            to_client.write_all(&answer[..answer.len() / 2])?;
        }
        return client.shutdown(Shutdown::Both);
    }
    thread::scope(|scope| {
        scope.spawn(|| io::copy(&mut from_client, &mut &registry));
        let copied = io::copy(&mut &registry, &mut &*client);
        // The request is over, and so must be the thread that waits for more of it.
        let _ = client.shutdown(Shutdown::Both);
        copied.map(drop)
    })
}

/// Answers in the registry's place.
fn reply(
    mut client: &TcpStream,
    rest: &mut impl Read,
    request: &Request,
    answer: Answer,
) -> io::Result<()> {
    let Answer { status, body } = answer;
    let reason = StatusCode::from_u16(status).ok();
    let reason = reason.and_then(|status| status.canonical_reason());
    let reason = reason.unwrap_or("As Told");
    let length = body.len();
    let body = if request.method == "HEAD" { "" } else { body };
    write!(
        client,
        "HTTP/1.1 {status} {reason}\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )?;
    client.shutdown(Shutdown::Write)?;
    // The answer would be lost if the connection were closed on a client
    // that is still sending.
    client.set_read_timeout(Some(Duration::from_secs(10)))?;
    io::copy(rest, &mut io::sink())?;
    Ok(())
}

impl Request {
    /// Whether the registry has what is asked for.
    pub fn is_there(&self) -> bool {
        let ask = || -> io::Result<String> {
            let mut registry = TcpStream::connect(&self.upstream)?;
            write!(
                registry,
                "HEAD {} HTTP/1.1\r\nHost: registry\r\nAccept: {}\r\nConnection: close\r\n\r\n",
                self.path,
                manifest_types()
            )?;
            let mut status = String::new();
            BufReader::new(registry).read_line(&mut status)?;
            Ok(status)
        };
        ask().is_ok_and(|status| status.contains(" 200 "))
    }

    fn read(from: &mut impl BufRead, upstream: &str) -> io::Result<Option<Self>> {
        let mut head = String::new();
        from.read_line(&mut head)?;
        let mut words = head.split(' ').map(str::to_owned);
        let (Some(method), Some(path)) = (words.next(), words.next()) else {
            return Ok(None);
        };
        let mut media_type = String::new();
        let mut has_body = false;
        loop {
            let mut line = String::new();
            if from.read_line(&mut line)? == 0 {
                return Ok(None);
            }
            if line.trim_end().is_empty() {
                break;
            }
            let lower = line.to_ascii_lowercase();
            if lower.starts_with("connection:") {
                continue;
            }
            if let Some(value) = lower.strip_prefix("content-type:") {
                value.trim().clone_into(&mut media_type);
            }
            has_body |= lower.starts_with("transfer-encoding:")
                || lower
                    .strip_prefix("content-length:")
                    .is_some_and(|length| length.trim() != "0");
            head.push_str(&line);
        }
        head.push_str("Connection: close\r\n\r\n");
        Ok(Some(Self {
            method,
            path,
            media_type,
            upstream: upstream.to_owned(),
            head,
            has_body,
        }))
    }
}
