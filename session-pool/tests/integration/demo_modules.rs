//! The demo's modules under a real PowerShell: prompts on the real channels, sign-ins that go every
//! way they can go, two tenants that never mix, errors with the real names.

use std::io::{BufRead, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use session_pool::demo::entra::{DemoEntra, SignedIn};
use session_pool::demo::settings::{Settings, SignIn};
use session_pool::demo::{DIRECTORY_VARIABLE, modules};
use session_pool::domain::module::Module;
use session_pool::domain::prompt::PromptScanner;
use session_pool::domain::record::Record;
use session_pool::domain::registry::Cloud;

use crate::support::{Context, Needs, Suite, add};

pub const CONTOSO: &str = "c0000001-7e57-4000-8000-00000c047050";
const FABRIKAM: &str = "fab00002-7e57-4000-8000-0000fab41ca0";

pub fn trials(suite: &mut Suite) {
    add!(
        suite,
        Needs::Pwsh,
        [
            a_prompt_is_found_and_its_code_signs_in,
            every_pnp_wording_is_found,
            cmdlets_without_a_sign_in_say_so,
            a_declined_code_ends_the_connect,
            a_code_expires,
            an_aadsts_error_ends_the_connect,
            another_person_signs_in,
            the_tenants_do_not_mix,
            azure_and_pnp_restore_in_a_fresh_process,
            a_revoked_sign_in_is_a_dead_one,
            pnp_admin_cmdlets_need_the_admin_site,
            exchange_errors_are_the_services,
            a_cancelled_connect_takes_its_code_back,
            pnp_waits_for_a_prompt_nobody_prints
        ]
    );
}

/// A demo directory, and a PowerShell to use it from.
pub struct Demo {
    directory: PathBuf,
    modules: PathBuf,
    pwsh: PathBuf,
}

/// A PowerShell that runs a script; ends with its owner.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _reaped = self.0.wait();
    }
}

impl Demo {
    pub fn new(cx: &Context) -> Self {
        let directory = cx.path().join("demo");
        let modules = modules::unpack(&directory).unwrap();
        let pwsh = cx.pwsh().to_owned();
        let demo = Self {
            directory,
            modules,
            pwsh,
        };
        demo.settings(Settings::default());
        demo
    }

    fn entra(&self) -> DemoEntra {
        DemoEntra::new(&self.directory)
    }

    /// Slow cmdlets are quick in these tests.
    fn settings(&self, settings: Settings) {
        Settings {
            slow_seconds: 0.1,
            ..settings
        }
        .save(&self.directory)
        .unwrap();
    }

    pub fn sign_in(&self, how: SignIn) {
        let sign_in = Module::ALL
            .into_iter()
            .map(|module| (module, how))
            .collect();
        self.settings(Settings {
            sign_in,
            ..Settings::default()
        });
    }

    /// Starts a script in the home of a connection. All its streams come out of stdout in order.
    fn start(&self, connection: &str, script: &str) -> Running {
        let home = self.directory.join("homes").join(connection);
        std::fs::create_dir_all(&home).unwrap();
        let child = Command::new(&self.pwsh)
            .args(["-NoLogo", "-NoProfile", "-NonInteractive", "-Command"])
            .arg(format!("& {{ {script} }} *>&1"))
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", &home)
            .env("PSModulePath", &self.modules)
            .env(DIRECTORY_VARIABLE, &self.directory)
            .env("POWERSHELL_TELEMETRY_OPTOUT", "1")
            .env("POWERSHELL_UPDATECHECK", "Off")
            .env("NO_COLOR", "1")
            .env("TERM", "dumb")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        Running(child)
    }

    pub fn run(&self, connection: &str, script: &str) -> String {
        let mut running = self.start(connection, script);
        let mut text = String::new();
        running
            .0
            .stdout
            .take()
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        assert!(running.0.wait().unwrap().success(), "{text}");
        text
    }

    /// Runs a script that asks for a code, has `answer` answer the first one, and returns what
    /// came after the prompt.
    fn run_and_answer(&self, connection: &str, script: &str, answer: impl FnOnce(&str)) -> String {
        let mut running = self.start(connection, script);
        let mut out = BufReader::new(running.0.stdout.take().unwrap());
        let mut scanner = PromptScanner::new(&Cloud::default());
        let mut line = String::new();
        let prompt = loop {
            line.clear();
            assert_ne!(
                out.read_line(&mut line).unwrap(),
                0,
                "ended without a prompt"
            );
            if let Some(prompt) = scanner.feed(&Record::Output { text: line.clone() }) {
                break prompt;
            }
        };
        answer(&prompt.code);
        let mut rest = String::new();
        out.read_to_string(&mut rest).unwrap();
        running.0.wait().unwrap();
        rest
    }
}

/// A connect command without and with what its module needs, and how to ask who is signed in.
fn connect(module: Module) -> (&'static str, &'static str) {
    match module {
        Module::Exo => (
            "Connect-ExchangeOnline -Device -ShowBanner:$false",
            "Get-ConnectionInformation | % { $_.UserPrincipalName + ' ' + $_.TenantID }",
        ),
        Module::Azure => (
            "$null = Update-AzConfig -LoginExperienceV2 Off; $null = Connect-AzAccount -UseDeviceAuthentication -TenantId contoso.example",
            "Get-AzContext | % { $_.Account.Id + ' ' + $_.Tenant.Id }",
        ),
        Module::Teams => (
            "$who = Connect-MicrosoftTeams -UseDeviceAuthentication -TenantId contoso.example",
            "$who.Account + ' ' + $who.TenantId",
        ),
        Module::Pnp => (
            "Connect-PnPOnline -Url https://contoso.sharepoint.com -DeviceLogin -PersistLogin -ClientId c0000001-a990-4000-8000-000000000001",
            "$c = (Get-PnPAccessToken -ResourceTypeName SharePoint -Decoded).Claims; ($c | ? Type -eq upn).Value + ' ' + ($c | ? Type -eq tid).Value",
        ),
    }
}

fn connect_and_ask(module: Module) -> String {
    let (connect, ask) = connect(module);
    format!("{connect}; {ask}")
}

async fn a_prompt_is_found_and_its_code_signs_in(cx: &Context) {
    let demo = &Demo::new(cx);
    for module in Module::ALL {
        let entra = demo.entra();
        let rest = demo.run_and_answer("contoso", &connect_and_ask(module), |code| {
            let pending = entra.complete(code).unwrap();
            assert_eq!((pending.module, pending.tenant.as_str()), (module, CONTOSO));
        });
        assert!(
            rest.contains(&format!("admin@contoso.example {CONTOSO}")),
            "{module}: {rest}"
        );
        assert!(entra.pending().unwrap().is_empty());
    }
}

async fn every_pnp_wording_is_found(cx: &Context) {
    let demo = &Demo::new(cx);
    let settings = demo.directory.join("settings.json");
    for wording in ["clipboard", "url", "plain"] {
        std::fs::write(&settings, format!(r#"{{"prompt_pnp":"{wording}"}}"#)).unwrap();
        let script = connect_and_ask(Module::Pnp).replace("-PersistLogin ", "");
        let rest = demo.run_and_answer("contoso", &script, |code| {
            demo.entra().complete(code).unwrap();
        });
        assert!(rest.contains("admin@contoso.example"), "{wording}: {rest}");
    }
}

async fn cmdlets_without_a_sign_in_say_so(cx: &Context) {
    let demo = &Demo::new(cx);
    for (module, command, expected) in [
        (
            Module::Exo,
            "Get-EXOMailbox",
            "You must call the Connect-ExchangeOnline cmdlet",
        ),
        (
            Module::Azure,
            "Get-AzSubscription",
            "Run Connect-AzAccount to login.",
        ),
        (Module::Teams, "Get-Team", "Session is not established"),
        (
            Module::Pnp,
            "Get-PnPConnection",
            "There is currently no connection yet.",
        ),
    ] {
        let name = module.powershell_name();
        let text = demo.run(
            "contoso",
            &format!("Import-Module {name}; try {{ {command} }} catch {{ $_.Exception.Message }}"),
        );
        assert!(text.contains(expected), "{module}: {text}");
    }
    let text = demo.run("contoso", "Import-Module ExchangeOnlineManagement; try { Get-Mailbox } catch { $_.FullyQualifiedErrorId }");
    assert!(text.contains("CommandNotFoundException"), "{text}");
}

/// The connect command's end: the error's text, or for pnp the warning's.
fn ends_with(demo: &Demo, module: Module, answer: impl FnOnce(&str)) -> String {
    let (connect, _) = connect(module);
    demo.run_and_answer(
        "contoso",
        &format!("try {{ {connect} }} catch {{ $_.Exception.Message }}"),
        answer,
    )
}

async fn a_declined_code_ends_the_connect(cx: &Context) {
    let demo = &Demo::new(cx);
    for module in Module::ALL {
        let text = ends_with(demo, module, |code| {
            drop(demo.entra().decline(code).unwrap())
        });
        assert!(text.contains("AADSTS65004"), "{module}: {text}");
    }
}

async fn a_code_expires(cx: &Context) {
    let demo = &Demo::new(cx);
    demo.sign_in(SignIn::Expire);
    for module in Module::ALL {
        let text = ends_with(demo, module, |_| ());
        assert!(text.contains("AADSTS70020"), "{module}: {text}");
    }
}

async fn an_aadsts_error_ends_the_connect(cx: &Context) {
    let demo = &Demo::new(cx);
    demo.sign_in(SignIn::Aadsts { code: 50076 });
    for module in Module::ALL {
        let text = ends_with(demo, module, |_| ());
        assert!(text.contains("AADSTS50076"), "{module}: {text}");
    }
}

async fn another_person_signs_in(cx: &Context) {
    let demo = &Demo::new(cx);
    for (how, expected) in [
        (
            SignIn::OtherAccount,
            format!("megan.archer@contoso.example {CONTOSO}"),
        ),
        (
            SignIn::OtherTenant,
            format!("admin@fabrikam.example {FABRIKAM}"),
        ),
    ] {
        demo.sign_in(how);
        for (n, module) in Module::ALL.into_iter().enumerate() {
            let script = connect_and_ask(module).replace("-PersistLogin ", "");
            let rest = demo.run_and_answer(&format!("contoso-{n}/contoso"), &script, |code| {
                demo.entra().complete(code).unwrap();
            });
            assert!(rest.contains(&expected), "{module}: {rest}");
        }
    }
    demo.settings(Settings::default());
    let rest = demo.run_and_answer("contoso", &connect_and_ask(Module::Exo), |code| {
        let who = SignedIn {
            account: "bea.baker@contoso.example".into(),
            tenant_id: CONTOSO.into(),
        };
        demo.entra().complete_as(code, &who).unwrap();
    });
    assert!(rest.contains("bea.baker@contoso.example"), "{rest}");
}

async fn the_tenants_do_not_mix(cx: &Context) {
    let demo = &Demo::new(cx);
    demo.sign_in(SignIn::Instant);
    for (name, other) in [("contoso", "fabrikam"), ("fabrikam", "contoso")] {
        let script = format!(
            "Connect-ExchangeOnline -Device -ShowBanner:$false; Get-Mailbox -ResultSize Unlimited | % PrimarySmtpAddress
             $null = Update-AzConfig -LoginExperienceV2 Off; $null = Connect-AzAccount -UseDeviceAuthentication -TenantId {name}.example
             Get-AzSubscription | % Name; Get-AzResource | % ResourceId
             $null = Connect-MicrosoftTeams -UseDeviceAuthentication -TenantId {name}.example; Get-Team | % Description; Get-CsOnlineUser | % SipAddress
             Connect-PnPOnline -Url https://{name}-admin.sharepoint.com -DeviceLogin -ClientId x; Get-PnPTenantSite | % Url; Get-PnPUser | % LoginName"
        );
        let text = demo.run(name, &script);
        assert!(text.lines().count() > 500, "{}", text.lines().count());
        assert!(!text.to_lowercase().contains(other), "{text}");
    }
}

async fn azure_and_pnp_restore_in_a_fresh_process(cx: &Context) {
    let demo = &Demo::new(cx);
    for module in [Module::Azure, Module::Pnp] {
        demo.run_and_answer("contoso", connect(module).0, |code| {
            demo.entra().complete(code).unwrap();
        });
    }
    let (_, ask) = connect(Module::Azure);
    assert!(
        demo.run("contoso", &format!("{ask}; Get-AzSubscription | % Name"))
            .contains("Contoso Production")
    );
    // Connecting again asks for no code, also for the admin site; another home knows nothing.
    let again = connect_and_ask(Module::Pnp).replace("contoso.share", "contoso-admin.share");
    assert!(
        demo.run("contoso", &again)
            .contains("admin@contoso.example")
    );
    assert_eq!(demo.run("fabrikam", "Get-AzContext").trim(), "");
    // Signing out takes it from the disk as well.
    demo.run("contoso", "Disconnect-AzAccount; Disconnect-AzAccount");
    assert_eq!(demo.run("contoso", "Get-AzContext").trim(), "");
}

async fn a_revoked_sign_in_is_a_dead_one(cx: &Context) {
    let demo = &Demo::new(cx);
    for (module, command, reason) in [
        (Module::Exo, "Get-Mailbox", "MsalUiRequiredException"),
        (
            Module::Azure,
            "Get-AzSubscription",
            "AzPSAuthenticationFailedException",
        ),
        (Module::Teams, "Get-Team", "MsalUiRequiredException"),
        (Module::Pnp, "Get-PnPList", "PSInvalidOperationException"),
    ] {
        let (connect, _) = connect(module);
        let flag = demo.directory.join(format!("{module}-ready"));
        // The second half of the script waits for the revocation, which the first one's output
        // asks for.
        let script = format!(
            "{connect}; $null = {command}; 'enter the code RDYRDYRDY'; while (-not (Test-Path '{0}')) {{ Start-Sleep -Milliseconds 20 }}
             try {{ {command} }} catch {{ $_.Exception.GetType().Name; $_.Exception.Message }}",
            flag.display()
        );
        demo.sign_in(SignIn::Instant);
        let rest = demo.run_and_answer("contoso", &script, |_| {
            demo.entra().revoke(module, Some(CONTOSO), 70043).unwrap();
            std::fs::write(&flag, "").unwrap();
        });
        assert!(
            rest.contains(reason) && rest.contains("AADSTS70043"),
            "{module}: {rest}"
        );
    }
}

async fn pnp_admin_cmdlets_need_the_admin_site(cx: &Context) {
    let demo = &Demo::new(cx);
    demo.sign_in(SignIn::Instant);
    let (connect, _) = connect(Module::Pnp);
    let text = demo.run(
        "contoso",
        &format!("{connect}; try {{ Get-PnPTenantSite }} catch {{ $_.Exception.Message }}"),
    );
    assert!(
        text.contains("connect to 'https://contoso-admin.sharepoint.com'"),
        "{text}"
    );
}

async fn exchange_errors_are_the_services(cx: &Context) {
    let demo = &Demo::new(cx);
    demo.sign_in(SignIn::Instant);
    let (connect, _) = connect(Module::Exo);
    let text = demo.run(
        "contoso",
        &format!(
            "{connect}; Get-Mailbox nobody -ErrorAction SilentlyContinue; 'went on'
             $Error[0].FullyQualifiedErrorId; $Error[0].CategoryInfo.ToString()
             try {{ Get-Mailbox nobody -ErrorAction Stop; 'not here' }} catch {{ 'caught' }}"
        ),
    );
    assert!(
        text.contains("went on") && text.contains("caught") && !text.contains("not here"),
        "{text}"
    );
    assert!(text.contains(",Write-ErrorMessage"), "{text}");
    assert!(
        text.contains("NotSpecified: (:) [Get-Mailbox], ManagementObjectNotFoundException"),
        "{text}"
    );
}

async fn a_cancelled_connect_takes_its_code_back(cx: &Context) {
    let demo = &Demo::new(cx);
    for module in Module::ALL {
        let (connect, _) = connect(module);
        let script = format!(
            "$ps = [powershell]::Create().AddScript('{}'); $run = $ps.BeginInvoke()
             while (-not ($codes = Get-ChildItem '{pending}' -Filter *.json -ErrorAction Ignore)) {{ }}
             'waiting ' + @($codes).Count; $ps.Stop(); 'left ' + @(Get-ChildItem '{pending}').Count",
            connect.replace('\'', "''"),
            pending = demo.directory.join("pending").display(),
        );
        let text = demo.run("contoso", &script);
        assert!(
            text.contains("waiting 1") && text.contains("left 0"),
            "{module}: {text}"
        );
    }
}

async fn pnp_waits_for_a_prompt_nobody_prints(cx: &Context) {
    let demo = &Demo::new(cx);
    demo.settings(Settings {
        code_lifetime_seconds: 1.0,
        sign_in: [(Module::Pnp, SignIn::Silent)].into(),
        ..Settings::default()
    });
    let script = format!(
        "{}; try {{ Get-PnPList }} catch {{ $_.Exception.Message }}",
        connect_and_ask(Module::Pnp)
    );
    let rest = demo.run_and_answer("contoso", &script, |code| {
        demo.entra().complete(code).unwrap();
    });
    let lines: Vec<_> = rest
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let [identity, reason] = lines[lines.len() - 2..] else {
        panic!("{rest}")
    };
    assert!(identity.contains("admin@contoso.example"), "{rest}");
    assert!(reason.starts_with("AADSTS70020"), "{rest}");
}
