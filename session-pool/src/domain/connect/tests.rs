#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::domain::registry::Registry;

const APP: &str = "11111111-2222-3333-4444-555555555555";
const TENANT: &str = "99999999-8888-7777-6666-555555555555";

fn connection(fields: serde_json::Value) -> Arc<Connection> {
    let text = json!({"connections": {"a": fields}}).to_string();
    Arc::clone(Registry::parse(&text).unwrap().get("a").unwrap())
}

/// The line of a text that calls the cmdlet, without what all have and what is piped from it.
fn call(text: &str, cmdlet: &str) -> String {
    let line = text
        .lines()
        .find(|line| line.contains(cmdlet))
        .unwrap_or_default();
    let command = line.split(" | ").next().unwrap_or_default();
    command
        .strip_suffix(HEARD)
        .expect("heard")
        .trim_end()
        .to_owned()
}

#[test]
fn each_module_is_connected_as_its_reference_has_it() {
    let full = json!({"appId": APP, "tenant": "contoso.onmicrosoft.com", "tenantId": TENANT});
    for (module, cmdlet, expected) in [
        (
            Module::Exo,
            "Connect-ExchangeOnline",
            r"ExchangeOnlineManagement\Connect-ExchangeOnline -Device -ShowBanner:$false -SkipLoadingCmdletHelp"
                .to_owned(),
        ),
        (
            Module::Azure,
            "Connect-AzAccount",
            format!(r"Az.Accounts\Connect-AzAccount -UseDeviceAuthentication -TenantId '{TENANT}'"),
        ),
        (
            Module::Teams,
            "Connect-MicrosoftTeams",
            format!(r"MicrosoftTeams\Connect-MicrosoftTeams -UseDeviceAuthentication -TenantId '{TENANT}'"),
        ),
        (
            Module::Pnp,
            "Connect-PnPOnline",
            format!(
                r"PnP.PowerShell\Connect-PnPOnline -Url 'https://contoso.sharepoint.com' -DeviceLogin -PersistLogin -ClientId '{APP}' -Tenant '{TENANT}'"
            ),
        ),
    ] {
        let text = connect(&connection(full.clone()), module, &Site::Root).unwrap();
        assert_eq!(call(&text, cmdlet), expected);
        assert!(text.contains("account = "), "{text}");
    }
}

#[test]
fn a_site_and_a_cloud_are_told_to_the_cmdlet() {
    let fields = json!({"appId": APP, "tenant": "contoso.com", "cloud": "usgovdod"});
    let connection = connection(fields);
    for (module, cmdlet, end) in [
        (
            Module::Exo,
            "Connect-ExchangeOnline",
            "-ExchangeEnvironmentName 'O365USGovDoD'",
        ),
        (
            Module::Azure,
            "Connect-AzAccount",
            "-Environment 'AzureUSGovernment'",
        ),
        (
            Module::Teams,
            "Connect-MicrosoftTeams",
            "-TeamsEnvironmentName 'TeamsDOD'",
        ),
        (
            Module::Pnp,
            "Connect-PnPOnline",
            "-Tenant 'contoso.com' -AzureEnvironment 'USGovernmentDoD'",
        ),
    ] {
        let text = connect(&connection, module, &Site::Admin).unwrap();
        assert!(call(&text, cmdlet).ends_with(end), "{text}");
    }
    let text = connect(&connection, Module::Pnp, &Site::Admin).unwrap();
    assert!(
        text.contains("-Url 'https://contoso-admin.sharepoint-mil.us'"),
        "{text}"
    );
}

#[test]
fn a_partner_names_the_customer_to_exchange() {
    let partner = |customer: &str| {
        connection(json!({
            "appId": APP, "tenant": "fabrikam.com", "tenantId": TENANT,
            "delegatedOrganization": customer, "sharepoint_host": "fabrikam",
        }))
    };
    for customer in ["fabrikam.onmicrosoft.com", TENANT] {
        let text = connect(&partner(customer), Module::Exo, &Site::Root).unwrap();
        let end = format!("-SkipLoadingCmdletHelp -DelegatedOrganization '{customer}'");
        assert!(
            call(&text, "Connect-ExchangeOnline").ends_with(&end),
            "{text}"
        );
    }
    let partner = partner("fabrikam.onmicrosoft.com");
    for module in [Module::Azure, Module::Teams] {
        let text = connect(&partner, module, &Site::Root).unwrap();
        assert!(!text.contains("-Delegated"), "{text}");
        assert!(text.contains(&format!("-TenantId '{TENANT}'")), "{text}");
    }
}

#[test]
fn a_partner_who_tries_sharepoint_is_told_why_not() {
    let mut fields = json!({
        "appId": APP, "tenant": "fabrikam.com", "delegatedOrganization": "fabrikam.onmicrosoft.com",
    });
    let partner = connection(fields.clone());
    let refused = connect(&partner, Module::Pnp, &Site::Root).unwrap_err();
    assert!(refused.remedy.contains("GDAP"), "{refused}");
    assert!(refused.remedy.contains("the customer's own"), "{refused}");
    assert!(!partner.modules().contains(&Module::Pnp));
    // An app is in the customer's tenant, whoever owns it.
    fields["auth"] = json!("certificate");
    fields["certificateFile"] = json!("app.pem");
    let app = connection(fields);
    assert_eq!(app.modules(), Module::ALL);
    let text = connect_app(&app, Module::Exo, &Site::Root, &certificate()).unwrap();
    assert!(text.contains("-Organization 'fabrikam.com'"), "{text}");
    assert!(!text.contains("-Delegated"), "{text}");
}

#[test]
fn what_is_not_known_is_left_out() {
    let bare = connection(json!({}));
    for (module, cmdlet) in [
        (Module::Azure, "Connect-AzAccount"),
        (Module::Teams, "Connect-MicrosoftTeams"),
    ] {
        let text = connect(&bare, module, &Site::Root).unwrap();
        assert!(
            call(&text, cmdlet).ends_with("-UseDeviceAuthentication"),
            "{text}"
        );
    }
    assert!(connect(&bare, Module::Pnp, &Site::Root).is_err());
}

#[test]
fn azure_takes_the_context_of_the_expected_account_and_tenant() {
    for (fields, condition) in [
        (json!({}), "{ $_.Account }".to_owned()),
        (
            json!({"expectedEmail": "o'neill@contoso.com"}),
            "{ $_.Account.Id -eq 'o''neill@contoso.com' }".to_owned(),
        ),
        (
            json!({"tenantId": TENANT}),
            format!("{{ $_.Tenant.Id -eq '{TENANT}' }}"),
        ),
        (
            json!({"expectedEmail": "a@b.c", "tenantId": TENANT}),
            format!("{{ $_.Account.Id -eq 'a@b.c' -and $_.Tenant.Id -eq '{TENANT}' }}"),
        ),
    ] {
        let text = probe(&connection(fields), Module::Azure).unwrap();
        assert!(text.contains(&condition), "{text}");
    }
}

#[test]
fn azure_keeps_the_context_that_a_caller_has_chosen() {
    let text = probe(&connection(json!({"tenantId": TENANT})), Module::Azure);
    let text = text.unwrap();
    let current = text
        .find("$context = Az.Accounts\\Get-AzContext | ")
        .unwrap();
    let first = text.find("if (-not $context) { ").unwrap();
    assert!(
        current < first && first < text.find("Select-AzContext").unwrap(),
        "{text}"
    );
}

#[test]
fn no_value_of_the_registry_becomes_a_command() {
    let connection =
        connection(json!({"expectedEmail": "a’;Remove-Item#@b.c", "tenantId": TENANT}));
    let text = probe(&connection, Module::Azure).unwrap();
    assert!(text.contains("-eq 'a’’;Remove-Item#@b.c'"), "{text}");
}

#[test]
fn every_call_of_the_pool_names_its_module() {
    let connection = connection(json!({"appId": APP, "tenant": "contoso.com"}));
    for module in Module::ALL {
        let mut texts = vec![
            disconnect(module),
            connect(&connection, module, &Site::Root).unwrap(),
        ];
        texts.extend(probe(&connection, module));
        texts.extend(identity(module));
        for text in texts {
            for word in text.split_whitespace() {
                let verb = [
                    "Connect-",
                    "Disconnect-",
                    "Clear-",
                    "Get-",
                    "Set-",
                    "Select-",
                    "Update-",
                    "Where-",
                    "ForEach-",
                ];
                assert!(
                    !verb.iter().any(|verb| word.starts_with(verb)),
                    "{word} in {text}"
                );
            }
            assert_eq!(
                text.matches('{').count(),
                text.matches('}').count(),
                "{text}"
            );
        }
    }
}

#[test]
fn signing_out_deletes_what_is_kept() {
    for (module, expected) in [
        (
            Module::Exo,
            r"$null = ExchangeOnlineManagement\Disconnect-ExchangeOnline -Confirm:$false",
        ),
        (
            Module::Azure,
            r"$null = Az.Accounts\Clear-AzContext -Scope CurrentUser -Force",
        ),
        (
            Module::Teams,
            r"$null = MicrosoftTeams\Disconnect-MicrosoftTeams -Confirm:$false",
        ),
        (
            Module::Pnp,
            r"$null = PnP.PowerShell\Disconnect-PnPOnline -ClearPersistedLogin",
        ),
    ] {
        assert!(disconnect(module).lines().any(|line| line == expected));
    }
}

const PFX: &str = "/h/.app-1.pfx";

fn certificate() -> Proof {
    Proof::Certificate {
        pfx: PFX.to_owned(),
        password: "/h/.app-1.password".to_owned(),
    }
}

#[test]
fn an_app_connects_as_each_reference_has_it() {
    let fields = json!({
        "appId": APP, "tenant": "contoso.onmicrosoft.com", "tenantId": TENANT,
        "auth": "certificate", "certificateFile": "app.pem",
    });
    for (module, expected) in [
        (
            Module::Exo,
            format!(
                r"$answer = ExchangeOnlineManagement\Connect-ExchangeOnline -AppId $app -CertificateFilePath '{PFX}' -CertificatePassword $secret -Organization 'contoso.onmicrosoft.com' -ShowBanner:$false -SkipLoadingCmdletHelp"
            ),
        ),
        (
            Module::Azure,
            format!(
                r"$answer = Az.Accounts\Connect-AzAccount -ServicePrincipal -ApplicationId $app -CertificatePath '{PFX}' -CertificatePassword $secret -Tenant '{TENANT}'"
            ),
        ),
        (
            Module::Teams,
            format!(
                r"$answer = MicrosoftTeams\Connect-MicrosoftTeams -ApplicationId $app -Certificate ([Security.Cryptography.X509Certificates.X509Certificate2]::new($file, $secret)) -TenantId '{TENANT}'"
            ),
        ),
        (
            Module::Pnp,
            format!(
                r"$answer = PnP.PowerShell\Connect-PnPOnline -ClientId $app -Url 'https://contoso.sharepoint.com' -CertificatePath '{PFX}' -CertificatePassword $secret -Tenant 'contoso.onmicrosoft.com'"
            ),
        ),
    ] {
        let connection = connection(fields.clone());
        let text = connect_app(&connection, module, &Site::Root, &certificate()).unwrap();
        assert_eq!(call(&text, "Connect-"), expected);
        assert!(text.contains(&format!("$app = '{APP}'")), "{text}");
        assert!(text.contains("ReadAllText('/h/.app-1.password')"), "{text}");
        assert_eq!(probe(&connection, module), None, "nothing is looked for");
    }
}

#[test]
fn a_client_secret_signs_in_to_azure_only() {
    let fields = json!({
        "appId": APP, "tenant": "contoso.com", "auth": "secret", "secretFile": "secret",
    });
    let connection = connection(fields);
    let proof = Proof::Secret {
        file: "/h/.app-1.secret".to_owned(),
    };
    let text = connect_app(&connection, Module::Azure, &Site::Root, &proof).unwrap();
    assert_eq!(
        call(&text, "Connect-"),
        r"$answer = Az.Accounts\Connect-AzAccount -ServicePrincipal -Credential ([pscredential]::new($app, $secret)) -Tenant 'contoso.com'"
    );
    assert_eq!(connection.modules(), [Module::Azure]);
    for module in [Module::Exo, Module::Pnp, Module::Teams] {
        let refused = connect_app(&connection, module, &Site::Root, &proof).unwrap_err();
        assert!(refused.remedy.contains("\"certificate\""), "{refused}");
    }
}

#[test]
fn what_an_app_lacks_is_named() {
    let with = |fields: serde_json::Value| {
        let mut all = json!({"auth": "certificate", "certificateFile": "app.pfx"});
        for (key, value) in fields.as_object().unwrap() {
            all[key] = value.clone();
        }
        connection(all)
    };
    for (fields, module, named) in [
        (json!({"tenant": "contoso.com"}), Module::Teams, "appId"),
        (json!({"appId": APP}), Module::Azure, "tenantId"),
        (
            json!({"appId": APP, "tenantId": TENANT}),
            Module::Exo,
            "\"tenant\"",
        ),
        (
            json!({"appId": APP, "tenant": TENANT}),
            Module::Exo,
            "\"tenant\"",
        ),
    ] {
        let refused = with(fields).check(module).unwrap_err();
        assert!(refused.remedy.contains(named), "{refused}");
    }
    let enough = with(json!({"appId": APP, "tenant": "contoso.com"}));
    assert_eq!(enough.modules(), Module::ALL);
}

#[test]
fn an_app_is_not_the_person_that_is_expected() {
    let connection = connection(json!({
        "appId": APP, "tenant": "contoso.com", "tenantId": TENANT, "expectedEmail": "a@contoso.com",
        "auth": "certificate", "certificateFile": "app.pem",
    }));
    let signed_in = |tenant: &str| Identity {
        account: Some(APP.to_owned()),
        tenant_id: Some(tenant.to_owned()),
    };
    assert_eq!(signed_in(TENANT).check(&connection), Ok(()));
    assert!(matches!(
        signed_in(APP).check(&connection),
        Err(WrongIdentity::Tenant(_))
    ));
}
