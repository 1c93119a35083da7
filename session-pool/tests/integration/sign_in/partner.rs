//! A partner's account that works in a customer's tenant (GDAP).

use serde_json::{Value, json};
use session_pool::demo::registry::{registry_json, tenants};
use session_pool::domain::life::Rules;
use session_pool::domain::module::Module;
use session_pool::domain::wire::RunRequest;

use crate::support::{Context, Needs, Suite, add};

use super::stage::{ADMIN, CONTOSO, Stage};

pub fn trials(suite: &mut Suite) {
    add!(
        suite,
        Needs::Pwsh,
        [
            exchange_is_the_customers_and_the_account_the_partners,
            a_partner_who_lands_at_home_is_signed_out
        ]
    );
}

/// Contoso's administrator, in the tenant of its customer. `named`: whether Exchange is told.
fn partner(cx: &Context, customer: &str, named: bool) -> Stage {
    let text = registry_json(&Value::Null).unwrap();
    let mut registry: Value = serde_json::from_str(&text).unwrap();
    let entry = &mut registry["connections"]["contoso"];
    entry["tenantId"] = json!(customer);
    entry["delegatedOrganization"] = json!(named.then_some(customer));
    Stage::with_registry(cx, Rules::default(), &registry.to_string())
}

fn customer() -> String {
    let tenants = tenants().unwrap();
    let other = tenants.into_iter().find(|it| it.tenant_id != CONTOSO);
    other.unwrap().tenant_id
}

async fn exchange_is_the_customers_and_the_account_the_partners(cx: &Context) {
    let customer = customer();
    let stage = partner(cx, &customer, true);
    stage.sign_in(Module::Exo).await;
    let signed_in = stage.status(Module::Exo);
    assert_eq!(signed_in.authenticated_as.as_deref(), Some(ADMIN));
    assert_eq!(signed_in.tenant_id.as_deref(), Some(customer.as_str()));

    let sharepoint = RunRequest {
        connection: Some("contoso".to_owned()),
        module: Some("pnp".to_owned()),
        command: Some("'ran'".to_owned()),
        ..RunRequest::default()
    };
    let refused = stage
        .pool
        .submit(sharepoint, session_pool::session::Caller::default())
        .await
        .unwrap_err();
    assert!(refused.to_string().contains("GDAP"), "{refused}");
    stage.end().await;
}

async fn a_partner_who_lands_at_home_is_signed_out(cx: &Context) {
    let stage = partner(cx, &customer(), false);
    let asked = stage.run(Module::Exo, "'ran'").await;
    stage.complete(&asked.device_code.unwrap()).await;
    let failed = stage.until(Module::Exo, "error").await;
    let reason = failed.last_error.unwrap();
    assert!(reason.contains(&customer()), "{reason}");
    assert!(!reason.contains(CONTOSO), "{reason}");
    stage.end().await;
}
