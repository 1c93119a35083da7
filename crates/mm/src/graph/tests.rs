//! Calls that last too long, against the demo's Graph.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use session_pool::demo::cloud::{CloudServer, DemoCloud};
use session_pool::demo::registry;
use session_pool::domain::policy::SendGuards;
use tempfile::TempDir;
use tokio::sync::Semaphore;

use super::answer::Shown;
use super::*;

/// The demo's Graph, and a directory with a registry that names it.
struct Stage {
    cloud: DemoCloud,
    directory: TempDir,
}

impl Stage {
    async fn signed_in() -> Self {
        let server = CloudServer::bind().unwrap();
        let stage = Self {
            cloud: server.cloud(),
            directory: tempfile::tempdir().unwrap(),
        };
        tokio::spawn(server.serve());
        let text = registry::registry_json(&stage.cloud.registry_value()).unwrap();
        std::fs::write(stage.directory.path().join("registry.json"), text).unwrap();
        stage.cloud.sign_in_after(Duration::ZERO);
        stage.cloud.set_faults(|faults| faults.poll_interval = 1);
        let graph = stage.graph();
        while let Access::Pending(_) = graph.sign_in("contoso", Audience::Graph).await.unwrap().1 {
            tokio::task::yield_now().await;
        }
        stage
    }

    /// As a process of its own would have it.
    fn graph(&self) -> Graph {
        let path = |name: &str| self.directory.path().join(name);
        Graph::new(Places {
            registry: path("registry.json"),
            tokens: path("tokens"),
            secrets: path("secrets"),
            files: None,
            send_guards: SendGuards::On,
            policy: path("policy.toml"),
            logs: path("logs"),
        })
    }

    async fn read(&self, request: Request, within: Duration) -> Content {
        let bounds = Bounds {
            characters: None,
            within: Some(within),
        };
        let request = Request {
            connection: "contoso".to_owned(),
            ..request
        };
        let graph = self.graph();
        let answer = graph.call(request, bounds, &mut Nobody, None).await;
        answer.unwrap().content
    }
}

struct Nobody;

impl Hears for Nobody {
    fn hear<'a>(&'a mut self, _: Heard) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(async {})
    }
}

fn ids(shown: &Shown) -> Vec<String> {
    let items: Vec<Value> = serde_json::from_str(shown.output.as_deref().unwrap()).unwrap();
    let ids = items.iter().map(|item| item["id"].to_string());
    ids.collect()
}

#[tokio::test]
async fn a_long_read_answers_in_time_and_a_later_process_goes_on() {
    let stage = Stage::signed_in().await;
    let pages = Arc::new(Semaphore::new(2));
    let given = Arc::clone(&pages);
    stage.cloud.set_faults(|faults| faults.pages = Some(given));
    let begun = Instant::now();
    // The third page does not come.
    let within = LAST_PAGE + Duration::from_secs(2);
    let first = Request {
        endpoint: "/users?$top=50".to_owned(),
        all_pages: true,
        ..Request::default()
    };
    let Content::Shown(some) = stage.read(first, within).await else {
        panic!("what there is is answered");
    };
    assert!(begun.elapsed() < within + Duration::from_secs(1));
    assert_eq!(some.items, Some(100));
    let rest = Request {
        cursor: some.cursor.clone(),
        ..Request::default()
    };
    pages.add_permits(10);
    let Content::Shown(rest) = stage.read(rest, within).await else {
        panic!("the cursor goes on");
    };
    let mut all = [ids(&some), ids(&rest)].concat();
    all.sort_unstable();
    all.dedup();
    assert_eq!((all.len(), rest.cursor), (241, None));
}

#[tokio::test]
async fn a_page_that_never_comes_is_given_up_in_time() {
    let stage = Stage::signed_in().await;
    let none = Arc::new(Semaphore::new(0));
    stage.cloud.set_faults(|faults| faults.pages = Some(none));
    let begun = Instant::now();
    let request = Request {
        endpoint: "/users".to_owned(),
        ..Request::default()
    };
    let content = stage.read(request, Duration::from_secs(2)).await;
    assert!(begun.elapsed() < Duration::from_secs(4));
    let Content::Failed(error) = content else {
        panic!("there is nothing to answer with");
    };
    assert_eq!(error.code(), "unreachable", "{error}");
}

#[tokio::test]
async fn a_sign_in_that_lasts_too_long_is_given_up_in_time() {
    let stage = Stage::signed_in().await;
    let tokens = stage.directory.path().join("tokens");
    let cache = tokens.join("contoso.json");
    let mut value: Value = serde_json::from_slice(&std::fs::read(&cache).unwrap()).unwrap();
    for (_, token) in value["AccessToken"].as_object_mut().unwrap() {
        token["expires_on"] = "1".into();
    }
    std::fs::write(&cache, value.to_string()).unwrap();
    // Another process is at it, and does not come to its end.
    let other = std::fs::File::open(tokens.join("contoso.json.lockfile")).unwrap();
    other.lock().unwrap();
    let begun = Instant::now();
    let me = Request {
        endpoint: "/me".to_owned(),
        ..Request::default()
    };
    let content = stage.read(me.clone(), Duration::from_secs(1)).await;
    assert!(begun.elapsed() < Duration::from_secs(3));
    assert!(matches!(content, Content::Failed(GraphError::SignInLate)));
    // What still waits for the lock lets go of it.
    drop(other);
    let content = stage.read(me, Duration::from_secs(20)).await;
    assert!(matches!(content, Content::Shown(_)));
}

#[tokio::test]
async fn a_batch_that_lasts_too_long_tells_what_was_done_and_what_was_not() {
    let stage = Stage::signed_in().await;
    // Twenty requests take two seconds, and one is left for more.
    let slowness = Duration::from_millis(100);
    stage.cloud.set_faults(|faults| faults.slowness = slowness);
    let requests: Vec<Value> = (0..45)
        .map(|id| serde_json::json!({"id": id, "method": "GET", "url": "/me"}))
        .collect();
    let batch = Request {
        endpoint: "/$batch".to_owned(),
        method: Method::Post,
        body: Some(serde_json::json!({"requests": requests})),
        ..Request::default()
    };
    let within = LAST_PAGE + Duration::from_secs(1);
    let Content::Shown(shown) = stage.read(batch, within).await else {
        panic!("what was done is told");
    };
    let answer: Value = serde_json::from_str(&shown.output.unwrap()).unwrap();
    let responses = answer["responses"].as_array().unwrap();
    assert_eq!(responses.len(), 45);
    for (number, response) in responses.iter().enumerate() {
        assert_eq!(response["id"], number.to_string());
        if number < 20 {
            assert_eq!(response["status"], 200, "{response}");
        } else {
            assert_eq!(response["body"]["error"]["code"], "NotSent", "{response}");
        }
    }
}
