"""The rules are public: anybody with a key can read them."""

from __future__ import annotations

from client import Client

from rules.library.loader import load_text


def test_a_pack_comes_with_rules_sources_and_what_tiers_lead_to(lender: Client) -> None:
    pack = lender.get("/v1/packs/enterprise-credit").json
    assert len(pack["rule_list"]) == pack["rules"] >= 40
    assert all(rule["when"] and rule["citations"] for rule in pack["rule_list"])
    assert [tier["tier"] for tier in pack["tiers"]] == ["A", "B", "C", "D"]
    assert pack["tiers"][-1]["lending"] == "none"


def test_the_text_of_a_pack_loads_as_the_same_pack(lender: Client) -> None:
    answer = lender.get("/v1/packs/enterprise-credit/text")
    assert answer.mimetype == "application/yaml"
    assert load_text(answer.text, "text").id == "enterprise-credit"


def test_a_version_that_is_not_in_force_is_said_so(lender: Client) -> None:
    answer = lender.get("/v1/packs/enterprise-credit?as_of=1990-01-01")
    assert (answer.status_code, "2026.1" in answer.json["detail"]) == (404, True)
    assert lender.get("/v1/packs/enterprise-credit?version=2026.1&as_of=1990-01-01").status_code == 200


def test_every_installed_pack_is_listed(lender: Client) -> None:
    assert "enterprise-credit" in {pack["id"] for pack in lender.get("/v1/packs").json}
