//! `$batch`: any number of sub-requests, each under the same rules as a call of its own, and each
//! repeated on its own where the service asks for patience.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use serde_json::{Value, json};
use session_pool::domain::graph::{Endpoint, Method, fully_decoded};

use super::client::{Client, Sending};
use super::error::GraphError;
use super::sub_request::{SubRequest, id_of, status};
use super::{Heard, Hears, body};

/// Most sub-requests of one call of Graph.
const MOST: usize = 20;

/// Most sub-requests of one call of ours.
const LONGEST: usize = 1000;

/// A batch whose sub-requests have been checked.
#[derive(Clone, Debug)]
pub(crate) struct Batch(Vec<SubRequest>);

/// Whether a path's last segment is `$batch`, however it is written.
pub(super) fn ends_in_batch(path: &str) -> bool {
    let path = fully_decoded(path);
    let last = path.trim_end_matches(['/', ' ']).rsplit('/').next();
    last.is_some_and(|last| last.trim().eq_ignore_ascii_case("$batch"))
}

impl Batch {
    /// Whether a call is a batch.
    pub(crate) fn is_one(method: Method, path: &str) -> bool {
        method == Method::Post && ends_in_batch(path)
    }

    /// Reads a batch's body.
    ///
    /// # Errors
    /// The first sub-request that would not be allowed as a call of its own.
    pub(crate) fn parse(
        body: Option<&Value>,
        base: &str,
        version: &str,
    ) -> Result<Self, GraphError> {
        let wrong = |words: String| GraphError::Request(words);
        let requests = body
            .and_then(|body| body.get("requests"))
            .and_then(Value::as_array)
            .ok_or_else(|| {
                wrong(
                    "a batch needs the body {\"requests\": [{\"id\", \"method\", \"url\"}]}"
                        .to_owned(),
                )
            })?;
        if requests.is_empty() || requests.len() > LONGEST {
            return Err(wrong(format!("a batch holds 1 to {LONGEST} requests")));
        }
        let mut ids = HashSet::new();
        let mut parsed = Vec::with_capacity(requests.len());
        for (position, request) in requests.iter().enumerate() {
            let place = position + 1;
            let object = request
                .as_object()
                .ok_or_else(|| wrong(format!("request {place} of the batch must be an object")))?;
            let sub = SubRequest::parse(object, base, version)
                .map_err(|error| wrong(format!("request {place} of the batch: {error}")))?;
            if !ids.insert(sub.id.clone()) {
                return Err(wrong(format!(
                    "request {place} of the batch has an id that another has"
                )));
            }
            if let Some(unknown) = sub.depends_on.iter().find(|id| !ids.contains(*id)) {
                return Err(wrong(format!(
                    "request {place} of the batch depends on {unknown:?}, which does not stand before it"
                )));
            }
            parsed.push(sub);
        }
        Ok(Self(parsed))
    }

    /// The calls inside.
    pub(crate) fn requests(&self) -> impl Iterator<Item = &SubRequest> {
        self.0.iter()
    }

    /// The same, to change what they send.
    pub(crate) fn requests_mut(&mut self) -> impl Iterator<Item = &mut SubRequest> {
        self.0.iter_mut()
    }

    /// All of it, as a yes is bound to it.
    pub(crate) fn wire(&self) -> Value {
        self.0.iter().map(SubRequest::bound).collect()
    }

    /// Sends all of it, twenty at a time, and what was throttled again. Answers with Graph's shape:
    /// `{"responses": […]}`, one for each request and in their order. Where it comes to its end
    /// early, what was done is told, and why the rest was not.
    ///
    /// # Errors
    /// Where none of it got an answer.
    pub(crate) async fn send(
        &self,
        client: &mut Client<'_>,
        endpoint: &Endpoint,
        hears: &mut dyn Hears,
    ) -> Result<Value, GraphError> {
        let mut done: HashMap<String, Value> = HashMap::new();
        let mut stopped: Option<String> = None;
        let count = self.0.len().div_ceil(MOST);
        for (number, chunk) in self.0.chunks(MOST).enumerate() {
            if stopped.is_none() && number > 0 && !client.has_time(super::LAST_PAGE, Duration::ZERO)
            {
                stopped = Some("the call has lasted long enough".to_owned());
            }
            if let Some(why) = &stopped {
                for request in chunk {
                    let message = format!("It was not sent: {why}.");
                    done.insert(
                        request.id.clone(),
                        without(&request.id, "NotSent", &message),
                    );
                }
                continue;
            }
            if count > 1 {
                hears.hear(Heard::Batch { number, count }).await;
            }
            let sent = self.send_chunk(chunk, client, endpoint, &mut done, hears);
            match sent.await {
                Ok(()) => {}
                Err(error) if done.is_empty() => return Err(error),
                // What was done stays done, and must be told.
                Err(error) => {
                    let why = error.to_string();
                    for request in chunk {
                        done.entry(request.id.clone())
                            .or_insert_with(|| without(&request.id, error.code(), &why));
                    }
                    stopped = Some("the requests before it got no answer".to_owned());
                }
            }
        }
        let responses: Vec<Value> = self
            .0
            .iter()
            .map(|request| match done.remove(&request.id) {
                Some(answer) => request.explained(answer, client.connection),
                None => {
                    let message =
                        "The service gave no answer to it: whether it was done is not known.";
                    without(&request.id, "NoAnswer", message)
                }
            })
            .collect();
        Ok(json!({"responses": responses}))
    }

    async fn send_chunk(
        &self,
        chunk: &[SubRequest],
        client: &mut Client<'_>,
        endpoint: &Endpoint,
        done: &mut HashMap<String, Value>,
        hears: &mut dyn Hears,
    ) -> Result<(), GraphError> {
        let mut open: Vec<&SubRequest> = Vec::with_capacity(chunk.len());
        for request in chunk {
            // What an earlier batch of twenty was to do first is done, or failed.
            let failed = request
                .depends_on
                .iter()
                .any(|id| done.get(id).is_some_and(|answer| status(answer) >= 400));
            if failed {
                done.insert(request.id.clone(), failed_dependency(&request.id));
            } else {
                open.push(request);
            }
        }
        let (mut number, mut waited) = (1, Duration::ZERO);
        while !open.is_empty() {
            let ids: HashSet<&str> = open.iter().map(|request| request.id.as_str()).collect();
            let requests: Vec<Value> = open.iter().map(|request| request.wire(&ids)).collect();
            let sending = Sending {
                method: Method::Post,
                url: endpoint.url(),
                headers: &[],
                body: Some(json!({"requests": requests}).to_string().into()),
            };
            let response = client.send(&sending, hears).await?;
            if !response.status().is_success() {
                return Err(super::refused(response, endpoint, client, "").await);
            }
            let mut answer = body::json(response).await?;
            let answers = match answer.get_mut("responses").map(Value::take) {
                Some(Value::Array(answers)) => answers,
                _ => return Err(GraphError::Garbled("a batch without responses".to_owned())),
            };
            for answer in answers {
                let id = id_of(answer.get("id"));
                done.insert(id, answer);
            }
            let mut wait = Duration::ZERO;
            open.retain(|request| {
                let Some(answer) = done.get(&request.id) else {
                    return false;
                };
                match request.again(answer, number) {
                    Some(needed) => {
                        wait = wait.max(needed);
                        true
                    }
                    None => false,
                }
            });
            // What depends on a throttled request was answered 424, and waits with it.
            let again: HashSet<String> = open.iter().map(|request| request.id.clone()).collect();
            for request in chunk {
                let depends = request.depends_on.iter().any(|id| again.contains(id));
                if depends
                    && done
                        .get(&request.id)
                        .is_some_and(|answer| status(answer) == 424)
                {
                    open.push(request);
                }
            }
            open.sort_by_key(|request| chunk.iter().position(|own| own.id == request.id));
            if open.is_empty() || !client.has_time(wait, waited) {
                break;
            }
            hears.hear(Heard::Waiting { wait, number }).await;
            tokio::time::sleep(wait).await;
            waited += wait;
            number += 1;
        }
        Ok(())
    }
}

/// A request that has no answer of the service's.
fn without(id: &str, code: &str, message: &str) -> Value {
    json!({
        "id": id,
        "status": 503,
        "body": {"error": {"code": code, "message": message}},
    })
}

fn failed_dependency(id: &str) -> Value {
    json!({
        "id": id,
        "status": 424,
        "body": {"error": {"code": "FailedDependency", "message": "A request that this one depends on failed; it was not sent."}},
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use super::*;

    fn parse(requests: Value) -> Result<Batch, GraphError> {
        let body = json!({"requests": requests});
        Batch::parse(Some(&body), "https://graph.microsoft.com", "v1.0")
    }

    #[test]
    fn a_batch_is_one_however_it_is_written() {
        for path in [
            "/v1.0/$batch",
            "/v1.0/%24batch/",
            "/beta/%24BA%74CH",
            "/v1.0/%2524batch",
        ] {
            assert!(Batch::is_one(Method::Post, path), "{path}");
        }
        assert!(!Batch::is_one(Method::Post, "/v1.0/users/$batch/x"));
    }

    #[test]
    fn each_request_obeys_the_rules_of_a_single_call() {
        for request in [
            json!({"id": "1", "method": "GET", "url": "https://evil.example/x"}),
            json!({"id": "1", "method": "GET", "url": "//evil.example/x/../y"}),
            json!({"id": "1", "method": "GET", "url": "/users/../me"}),
            json!({"id": "1", "method": "TRACE", "url": "/users"}),
            json!({"id": "1", "method": "POST", "url": "/$batch"}),
            json!({"id": "1", "method": "GET", "url": "/users", "headers": {"Authorization": "x"}}),
            json!({"method": "GET", "url": "/users"}),
            json!({"id": "1", "url": "/users", "dependsOn": ["2"]}),
            json!({"id": "1", "method": "GET", "url": "HTTPS://graph.microsoft.com@evil.example/x"}),
            json!({"id": "1", "method": "GET", "url": "http://graph.microsoft.com/v1.0/users"}),
            json!({"id": "1", "method": "GET", "url": "\\\\evil.example/x"}),
            json!({"id": "1", "method": "GET", "url": "/beta/users"}),
            json!({"id": "1", "method": "GET", "url": ""}),
            json!({"id": "1", "url": "/users", "dependsOn": "1"}),
            json!({"id": "1", "url": "/users", "atomicityGroup": "g"}),
            json!("x"),
        ] {
            assert!(parse(json!([request])).is_err(), "{request}");
        }
        for url in [
            "users",
            "/users",
            "/v1.0/users",
            "https://graph.microsoft.com/v1.0/users",
        ] {
            let batch = parse(json!([{"id": "1", "url": url}])).unwrap();
            assert_eq!(batch.0[0].path, "/v1.0/users", "{url}");
        }
        assert!(parse(json!([])).is_err());
        assert!(parse(json!([{"id": "1", "url": "/a"}, {"id": 1, "url": "/b"}])).is_err());
    }

    #[test]
    fn a_request_is_sent_encoded_and_with_its_bodys_type() {
        let batch = parse(json!([
            {"id": "a", "method": "GET", "url": "users?$filter=displayName eq 'A'"},
            {"id": 2, "method": "post", "url": "/groups", "body": {"x": 1}, "dependsOn": ["a"]},
        ]))
        .unwrap();
        let ids = HashSet::from(["a", "2"]);
        assert_eq!(
            batch.0[0].wire(&ids),
            json!({"id": "a", "method": "GET", "url": "/users?$filter=displayName%20eq%20%27A%27"})
        );
        assert_eq!(
            batch.0[1].wire(&ids),
            json!({"id": "2", "method": "POST", "url": "/groups", "body": {"x": 1},
                "headers": {"Content-Type": "application/json"}, "dependsOn": ["a"]})
        );
        assert_eq!(
            batch.0[1].wire(&HashSet::from(["2"])).get("dependsOn"),
            None
        );
    }
}
