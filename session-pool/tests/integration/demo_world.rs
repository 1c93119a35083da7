//! The demo's two views of its tenants: Graph's stand-in and the PowerShell modules.

use session_pool::demo::cloud::CloudServer;
use session_pool::demo::settings::SignIn;

use crate::demo_modules::{CONTOSO, Demo};
use crate::support::{Context, Needs, Suite, add};

pub fn trials(suite: &mut Suite) {
    add!(
        suite,
        Needs::Pwsh,
        [graph_and_the_modules_show_the_same_world]
    );
}

/// What Graph's stand-in has in this collection, as lines of the script's form.
async fn graph_lines(collection: &str, fields: [&str; 2]) -> Vec<String> {
    let server = CloudServer::bind().unwrap();
    let cloud = server.cloud().registry_value();
    let serving = tokio::spawn(server.serve());
    let client = reqwest::Client::new();
    let base = |key: &str| cloud[key].as_str().unwrap().to_owned();
    let asked = client
        .post(format!("{}/{CONTOSO}/oauth2/v2.0/token", base("login")))
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body("grant_type=client_credentials&client_id=x&client_secret=demo-secret&scope=x")
        .send();
    let answer = asked.await.unwrap().bytes().await.unwrap();
    let token: serde_json::Value = serde_json::from_slice(&answer).unwrap();
    let asked = client
        .get(format!("{}/v1.0/{collection}?$top=999", base("graph")))
        .bearer_auth(token["access_token"].as_str().unwrap())
        .send();
    let answer = asked.await.unwrap().bytes().await.unwrap();
    serving.abort();
    let page: serde_json::Value = serde_json::from_slice(&answer).unwrap();
    let lines = page["value"].as_array().unwrap().iter().map(|item| {
        let [id, name] = fields.map(|field| item[field].as_str().unwrap());
        format!("{id} {name}")
    });
    lines.collect()
}

async fn graph_and_the_modules_show_the_same_world(cx: &Context) {
    let demo = &Demo::new(cx);
    demo.sign_in(SignIn::Instant);
    let teams = "$null = Connect-MicrosoftTeams -UseDeviceAuthentication -TenantId contoso.example; Get-Team";
    for (script, collection, fields) in [
        (
            "Connect-ExchangeOnline -Device -ShowBanner:$false
             Get-Mailbox -ResultSize Unlimited | ? RecipientTypeDetails -eq UserMailbox | % { $_.ExternalDirectoryObjectId + ' ' + $_.PrimarySmtpAddress }".to_owned(),
            "users",
            ["id", "mail"],
        ),
        (
            format!("{teams} | % {{ $_.GroupId + ' ' + $_.MailNickName }}"),
            "groups",
            ["id", "mailNickname"],
        ),
        (
            "Connect-PnPOnline -Url https://contoso-admin.sharepoint.com -DeviceLogin -ClientId x
             Get-PnPTenantSite | % { $_.Title + ' ' + $_.Url }".to_owned(),
            "sites",
            ["displayName", "webUrl"],
        ),
    ] {
        let text = demo.run("contoso", &script);
        let mut shown: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let mut told = graph_lines(collection, fields).await;
        shown.sort_unstable();
        told.sort_unstable();
        assert!(told.len() > 30);
        assert_eq!(shown, told, "{collection}");
    }
}
