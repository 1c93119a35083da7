//! A pool that goes away while a job of it is waited for or followed.

use std::io::{Read as _, copy};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::Case;
use crate::client::{Client, Home, meta, text, with_tasks};
use crate::stand_in::StandIn;

pub const CASES: &[Case] = &[
    ("a_job_is_named_whose_state_cannot_be_read", named),
    ("a_pool_that_is_back_in_time_is_asked_again", back_in_time),
    ("a_look_at_a_job_says_that_it_was_only_a_look", only_a_look),
    ("a_cancel_that_did_not_arrive_is_told", cancel),
    ("a_task_says_the_same", task),
    ("a_list_that_cannot_be_read_ran_nothing", list),
    ("a_shell_is_told_how_to_take_the_job_up", shell),
    ("a_pool_that_takes_nothing_now_is_asked_again", unavailable),
    ("a_command_that_is_not_taken_was_not_lost", not_taken),
    #[cfg(unix)]
    (
        "a_standard_error_that_nobody_reads_hinders_no_end",
        nobody_reads_errors,
    ),
    ("a_job_that_has_ended_does_not_go_on", nobody_reads_the_end),
];

/// More than a pipe holds.
#[cfg(unix)]
fn nobody_reads_errors() {
    for (more, code) in [(&["--wait-seconds", "1"][..], 7), (&[], 130)] {
        let pool = StandIn::start();
        let home = Home::new(&pool.url);
        let mut child = home
            .command()
            .args(["run", "Contoso", "exo", "grumble"])
            .args(more)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = child.stderr.take().unwrap();
        stderr.read_exact(&mut [0]).unwrap();
        if code == 130 {
            let interrupt = ["-INT", &child.id().to_string()];
            let done = std::process::Command::new("kill").args(interrupt).status();
            assert!(done.unwrap().success());
        }
        let (ended, end) = std::sync::mpsc::channel();
        std::thread::spawn(move || ended.send(child.wait().unwrap().code()));
        let ended = end.recv_timeout(std::time::Duration::from_secs(20));
        assert_eq!(ended, Ok(Some(code)));
        drop(stderr);
    }
}

fn nobody_reads_the_end() {
    let pool = StandIn::start();
    let home = Home::new(&pool.url);
    let mut child = home
        .command()
        .args(["run", "Contoso", "exo", "hang", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let job = pool.wait_for_job();
    pool.finish(&job, "succeeded", "");
    let done = child.wait_with_output().unwrap();
    let said = String::from_utf8(done.stderr).unwrap();
    assert_eq!(done.status.code(), Some(141), "{said}");
    assert!(said.contains(&format!("job {job} has ended")), "{said}");
}

/// A way to the stand-in that can be closed, and opened again.
struct Way {
    address: SocketAddr,
    pool: String,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Way {
    fn to(pool: &StandIn) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let way = Self {
            address: listener.local_addr().unwrap(),
            pool: pool.url.strip_prefix("http://").unwrap().to_owned(),
            open: Arc::default(),
        };
        way.serve(listener);
        way
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn reopen(&self) {
        self.serve(TcpListener::bind(self.address).unwrap());
    }

    fn serve(&self, listener: TcpListener) {
        let (pool, open) = (self.pool.clone(), Arc::clone(&self.open));
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let client = client.unwrap();
                let mut peek = [0; 1];
                // What comes and says nothing closes the way.
                if client.peek(&mut peek).unwrap_or(0) == 0 {
                    return;
                }
                let server = TcpStream::connect(&pool).unwrap();
                for (from, to) in [(&client, &server), (&server, &client)] {
                    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    std::thread::spawn(move || {
                        let _ = copy(&mut from, &mut to);
                        let _ = to.shutdown(Shutdown::Write);
                    });
                }
                open.lock().unwrap().push(client);
            }
        });
    }

    fn close(&self) {
        drop(TcpStream::connect(self.address).unwrap());
        // Until nobody listens any more.
        while TcpStream::connect(self.address).is_ok() {}
        for client in self.open.lock().unwrap().drain(..) {
            let _ = client.shutdown(Shutdown::Both);
        }
    }
}

fn hang(client: &mut Client, wait_seconds: u32) -> u64 {
    let params = client.params(
        "run",
        json!({"connection": "Contoso", "module": "exo", "command": "hang", "wait_seconds": wait_seconds}),
    );
    client.send("tools/call", params)
}

fn tells(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part}: {text}");
    }
    for part in ["nothing was run", "try again", "Whether a command was run"] {
        assert!(!text.contains(part), "{part}: {text}");
    }
}

fn named() {
    let pool = StandIn::start();
    let way = Way::to(&pool);
    let mut client = Client::start(&Home::new(&way.url()));
    let request = hang(&mut client, 2);
    let id = pool.wait_for_job();
    pool.wait_for_request("GET /jobs/");
    way.close();
    let result = client.answer(request)["result"].clone();
    let told = text(&result);
    assert_eq!(result["isError"], true);
    assert!(
        told.starts_with("Connection: Contoso | tenant: contoso.example | module: exo\n"),
        "{told}"
    );
    tells(
        told,
        &[
            &format!("job {id} was started, and its state could not be read"),
            &format!("Do not send the command again: call `job` with {{\"id\":\"{id}\"}}."),
            "Start one with `session-pool serve`",
        ],
    );
    assert_eq!(result["structuredContent"]["job"], id);
    assert_eq!(result["structuredContent"]["code"], "pool_unreachable");
}

fn back_in_time() {
    for tool in ["run", "job"] {
        let pool = StandIn::start();
        let way = Way::to(&pool);
        let home = Home::new(&way.url());
        let mut client = Client::start(&home);
        let mut request = hang(&mut client, if tool == "run" { 30 } else { 0 });
        let id = pool.wait_for_job();
        if tool == "job" {
            client.answer(request);
            // A client that hears of progress looks more than once.
            let mut params = client.params("job", json!({"id": id, "wait_seconds": 30}));
            params["_meta"]["progressToken"] = json!(1);
            request = client.send("tools/call", params);
            let heard = client.receive();
            assert_eq!(heard["method"], "notifications/progress", "{heard}");
        }
        pool.wait_for_request("GET /jobs/");
        way.close();
        pool.finish(&id, "succeeded", "at last\n");
        way.reopen();
        let answer = client.answer(request);
        assert!(text(&answer["result"]).contains("at last\n"), "{answer}");
    }
}

/// A job that was left running, and no way to it any more.
fn left_running() -> (StandIn, Home, String) {
    let pool = StandIn::start();
    let way = Way::to(&pool);
    let home = Home::new(&way.url());
    let mut client = Client::start(&home);
    let request = hang(&mut client, 0);
    client.answer(request);
    way.close();
    let id = pool.wait_for_job();
    (pool, home, id)
}

fn only_a_look() {
    let (_pool, home, id) = left_running();
    let result = Client::start(&home).call("job", json!({"id": id}));
    assert_eq!(result["isError"], true);
    tells(
        text(&result),
        &[
            &format!("the state of job {id} could not be read: no session pool answers at"),
            &format!("call `job` with {{\"id\":\"{id}\"}} again."),
        ],
    );
    assert_eq!(result["structuredContent"]["job"], id);
}

fn cancel() {
    let (pool, home, id) = left_running();
    let result = Client::start(&home).call("job", json!({"id": id, "cancel": true}));
    tells(
        text(&result),
        &[
            &format!("job {id} was not cancelled: no session pool answers at"),
            "\"cancel\":true",
        ],
    );
    let done = home.shell(&["job", &id, "--cancel", "--json"]);
    assert_eq!(done.code, 69, "{done:?}");
    let end: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(end["job"], id);
    tells(&done.stderr, &[&format!("`mm job {id} --cancel` again")]);
    assert_eq!(pool.state(&id), "running");
}

fn task() {
    let (_pool, home, id) = left_running();
    for (method, part) in [
        ("tasks/get", format!("the state of job {id} could not")),
        ("tasks/cancel", format!("job {id} was not cancelled")),
    ] {
        let answer = Client::start(&home)
            .request(method, json!({"taskId": id, "_meta": meta(&with_tasks())}));
        assert_eq!(answer["error"]["code"], -32603, "{answer}");
        tells(answer["error"]["message"].as_str().unwrap(), &[&part]);
    }
}

fn list() {
    let (_pool, home, _) = left_running();
    for (tool, shell) in [("run", ["run"]), ("job", ["job"])] {
        let result = Client::start(&home).call(tool, json!({}));
        let part = "the list could not be read: no session pool answers at";
        tells(text(&result), &[part]);
        let done = home.shell(&shell);
        assert_eq!(done.code, 69, "{done:?}");
        tells(&done.stderr, &[part]);
    }
}

/// Takes 10 s: that is how long a pool may restart.
fn shell() {
    let pool = StandIn::start();
    let way = Way::to(&pool);
    let home = Home::new(&way.url());
    let child = home
        .command()
        .args(["run", "Contoso", "exo", "hang", "--json"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let id = pool.wait_for_job();
    pool.wait_for_request("/events");
    way.close();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(69));
    let stderr = String::from_utf8(output.stderr).unwrap();
    tells(
        &stderr,
        &[
            &format!("job {id} was started, and its state could not be read"),
            &format!("`mm job {id}` takes the job up"),
        ],
    );
    let end: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&end["type"], &end["job"]), (&json!("end"), &json!(id)));
}

fn unavailable() {
    let pool = StandIn::start();
    let home = Home::new(&pool.url);
    pool.be_unavailable(2);
    let done = home.shell(&["run", "Contoso", "exo", "1+1"]);
    assert_eq!((done.code, done.stdout.as_str()), (0, "2\n"), "{done:?}");
    let mut client = Client::start(&home);
    let request = hang(&mut client, 30);
    let id = pool.wait_for_another_job(2);
    pool.be_unavailable(2);
    pool.finish(&id, "succeeded", "at last\n");
    let answer = client.answer(request);
    assert!(text(&answer["result"]).contains("at last\n"), "{answer}");
}

fn not_taken() {
    let pool = StandIn::start();
    let home = Home::new(&pool.url);
    let done = home.shell(&["run", "Contoso", "exo", "full"]);
    assert_eq!(done.code, 69, "{done:?}");
    assert!(done.stderr.contains("no more are allowed"), "{done:?}");
    let result = Client::start(&home).call(
        "run",
        json!({"connection": "Contoso", "module": "exo", "command": "full"}),
    );
    assert_eq!(result["structuredContent"]["code"], "process_limit");
    assert!(result["structuredContent"]["job"].is_null());
}
