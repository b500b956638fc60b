//! Keeping secrets out: names that look like those of secrets, options that carry them, and addresses with passwords.
//!
//! It goes by names and shapes, so it cannot know every secret. What it takes for one is replaced by [`MASK`].

use std::sync::LazyLock;

use regex_lite::{Captures, Regex};

/// Files that usually hold secrets, by name: a star at one end stands for anything, and capitals are like small letters.
pub(super) const FILES: [&str; 30] = [
    ".env",
    ".env.*",
    "*.env",
    ".envrc",
    ".netrc",
    ".npmrc",
    ".pypirc",
    ".pgpass",
    ".htpasswd",
    ".git-credentials",
    "credentials",
    "credentials.toml",
    "credentials.json",
    "credentials.yaml",
    "credentials.yml",
    "secrets.toml",
    "secrets.json",
    "secrets.yaml",
    "secrets.yml",
    "id_rsa",
    "id_dsa",
    "id_ecdsa",
    "id_ed25519",
    "*.pem",
    "*.key",
    "*.p12",
    "*.pfx",
    "*.jks",
    "*.kdbx",
    "*.keystore",
];

/// Whether a file of this name usually holds secrets.
pub(super) fn is_file_of_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    FILES.iter().any(|file| match (file.strip_prefix('*'), file.strip_suffix('*')) {
        (Some(end), _) => name.ends_with(end),
        (_, Some(beginning)) => name.starts_with(beginning),
        _ => name == *file,
    })
}

/// Whether a file of settings gives the value of a secret, or an address with a password.
pub(super) fn has_secret_setting(settings: &str) -> bool {
    let names_secret = |line: &str| {
        let (name, value) = line.split_once('=')?;
        let is_secret = words(name).last().is_some_and(|word| ENDS.iter().any(|end| word.ends_with(end)));
        Some(is_secret && value.trim_start().starts_with(['"', '\'']))
    };
    let has_password = |line: &str| {
        line.split("://").skip(1).any(|address| {
            let place = address.split(['/', '"', '\'', ' ']).next().unwrap_or_default();
            place.rsplit_once('@').is_some_and(|(credentials, _)| credentials.contains(':'))
        })
    };
    settings.lines().any(|line| names_secret(line) == Some(true) || has_password(line))
}

/// What stands for a secret.
pub(super) const MASK: &str = "***";

/// Words of names of secrets.
const WORDS: [&str; 18] = [
    "SECRETS",
    "PASSWORDS",
    "PASS",
    "PWD",
    "PAT",
    "CREDENTIAL",
    "CREDENTIALS",
    "CREDS",
    "AUTH",
    "AUTHORIZATION",
    "BEARER",
    "COOKIE",
    "COOKIES",
    "SESSIONID",
    "JWT",
    "DSN",
    "TOKENS",
    "KEYS",
];

/// What a word of the name of a secret ends in, when words are written together.
const ENDS: [&str; 6] = ["TOKEN", "SECRET", "PASSWORD", "PASSWD", "KEY", "PASSPHRASE"];

/// How secrets begin that are known by their shape.
const BEGINNINGS: [&str; 13] =
    ["ghp_", "gho_", "ghs_", "ghu_", "github_pat_", "glpat-", "hf_", "sk-", "xoxb-", "xoxp-", "AKIA", "ASIA", "eyJ"];

/// Whether `name`, of a variable or an option, looks like that of a secret: one of its words is a word for secrets.
/// `tokenizer` and `monkeys` are none.
pub(super) fn is_name_of_secret(name: &str) -> bool {
    words(name).iter().any(|word| is_word_for_secret(word))
}

fn is_word_for_secret(word: &str) -> bool {
    // The second of several has a number.
    let word = word.trim_end_matches(|character: char| character.is_ascii_digit());
    WORDS.contains(&word) || ENDS.iter().any(|end| word.ends_with(end))
}

/// The words of a name, in capitals: `apiKey`, `api-key` and `API_KEY` are two words each.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_small = false;
    for character in name.chars() {
        let begins = !character.is_alphanumeric() || (was_small && character.is_uppercase());
        if begins {
            words.push(String::new());
        }
        was_small = character.is_lowercase() || character.is_ascii_digit();
        if character.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(character.to_uppercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The arguments of a program without the values of options whose names look like those of secrets, without passwords in
/// addresses, and without what has the shape of a known kind of secret.
pub(super) fn masked_arguments(arguments: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut masked = Vec::new();
    let mut secret: Option<String> = None;
    for argument in arguments {
        let is_option = argument.starts_with('-') && argument.parse::<f64>().is_err();
        if let Some(name) = secret.take()
            && !argument.starts_with("--")
            && !(is_option && argument.len() <= 2)
        {
            masked.push(value_of(&name, &argument));
        } else if let Some((name, value)) = argument.split_once('=') {
            masked.push(format!("{name}={}", value_of(name, value)));
        } else if let Some((name, value)) = argument.split_once(':').filter(|(_, value)| !value.starts_with("//")) {
            masked.push(format!("{name}:{}", value_of(name, value)));
        } else {
            secret = (is_option && is_name_of_secret(&argument)).then(|| argument.clone());
            masked.push(masked_value(&argument));
        }
    }
    masked
}

/// The value of an option.
fn value_of(name: &str, value: &str) -> String {
    if is_secret_value(name, value) { MASK.to_owned() } else { masked_value(value) }
}

/// Whether `value` is a secret, when it stands behind `name`. A small number is none of a key or a token: options such as
/// `--max-tokens` are meant.
fn is_secret_value(name: &str, value: &str) -> bool {
    const MOST_DIGITS: usize = 5;
    let is_small_number = value.len() <= MOST_DIGITS && value.parse::<f64>().is_ok();
    words(name).iter().any(|word| {
        let counts = ["TOKEN", "TOKENS", "KEY", "KEYS"].iter().any(|end| word.ends_with(end));
        is_word_for_secret(word) && !(counts && is_small_number)
    })
}

/// A text without the values that stand in it behind a name of a secret: as in JSON, in a list of settings, in a header.
fn without_named_secrets(text: &str) -> String {
    static PAIR: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"([A-Za-z0-9_.-]+)(["']?\s*[:=]\s*)("[^"]*"?|'[^']*'?|(?i:bearer |basic )?[^\s"',;&{}\[\]]+)"#)
            .expect("the expression is whole")
    });
    let shown = PAIR.replace_all(text, |found: &Captures<'_>| {
        let (name, between, value) = (&found[1], &found[2], &found[3]);
        let is_address = value.starts_with("//");
        if !is_address && is_secret_value(name, value.trim_matches(['"', '\''])) {
            format!("{name}{between}{MASK}")
        } else {
            found[0].to_owned()
        }
    });
    shown.into_owned()
}

/// `value` without what is secret in it.
pub(super) fn masked_value(value: &str) -> String {
    let looks_secret = |word: &str| {
        const LEAST: usize = 20;
        let is_token = |character: char| character.is_ascii_alphanumeric() || "_-.+/=".contains(character);
        word.len() >= LEAST
            && BEGINNINGS.iter().any(|beginning| word.starts_with(beginning))
            && word.chars().all(is_token)
            && word.chars().any(|character| character.is_ascii_digit())
    };
    let spoken = without_named_secrets(&without_credentials(value));
    spoken.split(' ').map(|word| if looks_secret(word) { MASK } else { word }).collect::<Vec<_>>().join(" ")
}

/// A text without the user and the password of each address in it, and without the query of the addresses that had one:
/// `https://name:token@host/path` becomes `https://host/path`.
pub(super) fn without_credentials(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, behind) = rest.split_at(at + 3);
        shown.push_str(before);
        let end = behind.find([' ', '\t', '\n', '"']).unwrap_or(behind.len());
        // A password may hold a comma or a quote as well. Where another address follows, they end this one.
        let next = behind[..end].find("://");
        let end = next.map_or(end, |next| behind[..next].rfind([',', ';', '\'', '|']).unwrap_or(next));
        let (address, behind) = behind.split_at(end);
        // A password may hold anything, a slash too: what lies before the last `@` of the place is not shown.
        let place_end = address.find(['/', '?', '#']).unwrap_or(address.len());
        let credentials_end =
            address[..place_end].rfind('@').or_else(|| address.rfind('@').filter(|_| has_colon(address)));
        let address = credentials_end.map_or(address, |at| &address[at + 1..]);
        match address.split_once('?') {
            Some((address, _)) => {
                shown.push_str(address);
                shown.push('?');
                shown.push_str(MASK);
            }
            None => shown.push_str(address),
        }
        rest = behind;
    }
    shown.push_str(rest);
    shown
}

/// Whether a place is followed by something that is no number, as a password is.
fn has_colon(address: &str) -> bool {
    let behind = address.split_once(':').map(|(_, behind)| behind.split(['/', '?', '#']).next().unwrap_or_default());
    behind.is_some_and(|port| port.parse::<u16>().is_err())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_a_secret_is_told_by_its_words() {
        let secret = [
            "HF_TOKEN",
            "WANDB_API_KEY",
            "--api-key",
            "apiKey",
            "password",
            "AWS_SECRET_ACCESS_KEY",
            "PGPASSWORD",
            "authToken",
            "db.passwd",
            "MYSQL_PWD",
            "--github_pat",
            "APIKEY",
            "API_KEY_2",
            "HF_TOKEN2",
        ];
        for name in secret {
            assert!(is_name_of_secret(name), "{name}");
        }
        for name in [
            "TOKENIZERS_PARALLELISM",
            "--tokenizer",
            "--lr",
            "RUST_LOG",
            "passes",
            "--pin-memory",
            "CUDA_VISIBLE_DEVICES",
            "--path",
        ] {
            assert!(!is_name_of_secret(name), "{name}");
        }
    }

    #[test]
    fn the_values_of_secret_options_are_masked_and_nothing_else() {
        let masked = |line: &str| masked_arguments(line.split(' ').map(str::to_owned)).join(" ");
        assert_eq!(masked("train --token abc --lr 0.1"), "train --token *** --lr 0.1");
        assert_eq!(masked("train --password=a=b:c --lr=0.1"), "train --password=*** --lr=0.1");
        assert_eq!(masked("train --api-key -abc"), "train --api-key ***");
        assert_eq!(masked("train --use-token --verbose -v"), "train --use-token --verbose -v");
        assert_eq!(masked("train --max-tokens 4096 --password 123"), "train --max-tokens 4096 --password ***");
        assert_eq!(masked("api.key=abc model=big"), "api.key=*** model=big");
        assert_eq!(masked("--data s3://bucket/a"), "--data s3://bucket/a");
        assert_eq!(masked("--data=https://u:p@host/a"), "--data=https://host/a");
        assert_eq!(masked("hf_abcdefghijklmnop1234"), "***");
        assert_eq!(masked("--tokenizer hf_datasets"), "--tokenizer hf_datasets");
        assert_eq!(masked("--header Authorization:abc"), "--header Authorization:***");
    }

    #[test]
    fn a_secret_is_masked_behind_its_name_wherever_that_stands() {
        for (text, shown) in [
            (r#"{"lr": 1, "api_key": "a b", "n": 2}"#, r#"{"lr": 1, "api_key": ***, "n": 2}"#),
            ("db={user:ada,password:x}", "db={user:ada,password:***}"),
            ("Authorization: Bearer abc", "Authorization: ***"),
            ("AccountName=a;AccountKey=b==;Suffix=c", "AccountName=a;AccountKey=***;Suffix=c"),
            ("max_tokens=4096 tokenizers=debug", "max_tokens=4096 tokenizers=debug"),
            ("info,hyper=warn", "info,hyper=warn"),
            ("key", "key"),
            ("https://host/a", "https://host/a"),
        ] {
            assert_eq!(masked_value(text), shown);
        }
    }

    #[test]
    fn settings_with_a_secret_are_told_from_others() {
        for settings in
            ["[registry]\ntoken = \"x\"", "secret-key='x'", "[http]\nproxy = \"http://u:p@h:80\"", "env.MY_KEY = \"x\""]
        {
            assert!(has_secret_setting(settings), "{settings}");
        }
        for settings in [
            "[registry]\nglobal-credential-providers = [\"cargo:token\"]",
            "index = \"ssh://git@host/index.git\"",
            "[build]\nrustflags = [\"-C\", \"target-cpu=native\"]",
            "monkeys = 3",
        ] {
            assert!(!has_secret_setting(settings), "{settings}");
        }
    }

    #[test]
    fn files_of_secrets_are_known_by_their_names() {
        for name in
            [".env", ".ENV", ".env.local", "prod.env", "server.PEM", "id_rsa", "credentials.json", "secrets.toml"]
        {
            assert!(is_file_of_secret(name), "{name}");
        }
        for name in ["env.rs", "credentials.rs", "secrets.rs", "key.rs", "id_rsa.pub", "environment", "token.rs"] {
            assert!(!is_file_of_secret(name), "{name}");
        }
    }

    #[test]
    fn an_address_loses_its_credentials() {
        for (address, shown) in [
            ("https://ada:secret@host.org/a/b.git", "https://host.org/a/b.git"),
            ("https://ghp_token@host.org/a.git", "https://host.org/a.git"),
            ("https://ada:se/cr@t@host.org/a.git", "https://host.org/a.git"),
            ("https://host.org:8443/a@b", "https://host.org:8443/a@b"),
            ("https://host.org/a?private_token=x", "https://host.org/a?***"),
            ("ssh://git@host.org/a.git", "ssh://host.org/a.git"),
            ("git@host.org:a/b.git", "git@host.org:a/b.git"),
            ("/srv/git/a.git", "/srv/git/a.git"),
            ("see https://a:b@c and https://d:e@f", "see https://c and https://f"),
            ("https://ada:a,b'c@host.org/x", "https://host.org/x"),
            ("https://a:b@c/x,https://d:e@f/y", "https://c/x,https://f/y"),
            ("'https://a:b@c/x'", "'https://c/x'"),
        ] {
            assert_eq!(without_credentials(address), shown);
        }
    }
}
