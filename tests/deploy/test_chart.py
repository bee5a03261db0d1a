"""The chart as Helm's own code renders it, before Kubernetes' own schemas."""

import pytest

from tests.deploy.chart import CASES, REFUSED, Object, objects, pods, rendered


@pytest.mark.parametrize("case", CASES)
def test_what_helm_renders_is_what_kubernetes_takes(case: str) -> None:
    """Each kind of install: nothing that Helm warns of, and nothing that a schema does not know, in any version."""
    found = rendered()[case]

    assert found.get("refused", "") == ""
    assert (found["lint"], found["wrong"]) == ([], [])
    assert {"api", "worker", "beat"} <= pods(case).keys()


@pytest.mark.parametrize("name", REFUSED)
def test_what_could_not_run_is_refused_with_the_reason(name: str) -> None:
    """Before anything is installed: what is missing, too weak, or is not what the chart knows."""
    assert REFUSED[name][1] in rendered()[name].get("refused", "was rendered")


@pytest.mark.parametrize("case", CASES)
def test_every_name_that_an_object_mentions_is_there(case: str) -> None:
    """Settings, accounts, services and what is scaled, by the names that this release gives them."""
    there = {
        (one["kind"], one["metadata"]["name"], "helm.sh/hook" in one["metadata"].get("annotations", {}))
        for one in rendered()[case]["objects"]
    }
    names = {(kind, name) for kind, name, _ in there}
    made_elsewhere = {
        ("Secret", CASES[case]["secret"].get("existing")),
        ("Secret", CASES[case].get("migration", {}).get("databaseSecret")),
    }
    if "external" in CASES[case]["secret"]:
        made_elsewhere |= {("Secret", name) for kind, name in names if kind == "ExternalSecret"}

    assert set(mentioned(case)) - names - made_elsewhere == set()
    hooks = {(kind, name) for kind, name, is_hook in there if is_hook}
    for kind, name in mentioned_by(pods(case).get("migrate", {})):
        # What a hook needs must be there before the release is.
        assert (kind, name) in hooks | made_elsewhere


def mentioned(case: str) -> set[tuple[str, str]]:
    found = {one for pod in pods(case).values() for one in mentioned_by(pod)}
    found |= {
        (target["kind"], target["name"])
        for one in objects(case, "HorizontalPodAutoscaler").values()
        for target in [one["spec"]["scaleTargetRef"]]
    }
    found |= {
        ("Service", path["backend"]["service"]["name"])
        for one in objects(case, "Ingress").values()
        for path in one["spec"]["rules"][0]["http"]["paths"]
    }
    return found


def mentioned_by(pod: Object) -> set[tuple[str, str]]:
    found = {("ServiceAccount", pod["serviceAccountName"])} if "serviceAccountName" in pod else set()
    for one in [*pod.get("initContainers", []), *pod.get("containers", [])]:
        for source in one["envFrom"]:
            kind = "ConfigMap" if "configMapRef" in source else "Secret"
            found.add((kind, next(iter(source.values()))["name"]))
        for variable in one.get("env", []):
            if "valueFrom" in variable:
                found.add(("Secret", variable["valueFrom"]["secretKeyRef"]["name"]))
    return found


@pytest.mark.parametrize("case", CASES)
def test_no_pod_may_do_more_than_it_needs(case: str) -> None:
    """Nobody is root, nobody writes but to /tmp, and nobody has a token of the cluster."""
    for pod in pods(case).values():
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] == 10001
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for one in [*pod.get("initContainers", []), *pod["containers"]]:
            assert one["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert one["resources"]["requests"].keys() == {"cpu", "memory"}
            writable = [mount["mountPath"] for mount in one["volumeMounts"] if not mount.get("readOnly")]
            assert writable == ["/tmp"]


def test_one_beat_and_never_two() -> None:
    for case in CASES:
        beat = objects(case, "Deployment")["jetway-beat"]["spec"]
        assert (beat["replicas"], beat["strategy"]) == (1, {"type": "Recreate"})


def test_who_scales_is_not_told_how_many() -> None:
    """A number of replicas beside an autoscaler would undo its work at each upgrade."""
    for case in CASES:
        scaled = {
            one["spec"]["scaleTargetRef"]["name"] for one in objects(case, "HorizontalPodAutoscaler").values()
        }
        for name, one in objects(case, "Deployment").items():
            assert ("replicas" in one["spec"]) == (name not in scaled)


def test_a_new_api_pod_is_there_before_an_old_one_goes() -> None:
    for case in CASES:
        update = objects(case, "Deployment")["jetway-api"]["spec"]["strategy"]["rollingUpdate"]
        assert update["maxUnavailable"] == 0
        assert update["maxSurge"] == 1


def test_nothing_goes_in_or_out_that_is_not_named() -> None:
    """Who calls the API is the ingress controller and Prometheus, and no private network is public."""
    policies = objects("everything", "NetworkPolicy")
    everybody = policies["jetway"]["spec"]
    assert everybody["podSelector"]["matchLabels"].keys() == {
        "app.kubernetes.io/name",
        "app.kubernetes.io/instance",
    }
    assert everybody["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in everybody
    public = [
        (rule["ports"], peer["ipBlock"])
        for rule in everybody["egress"]
        for peer in rule.get("to", [])
        if "ipBlock" in peer
    ]
    assert {port["port"] for ports, _ in public for port in ports} == {443, 465, 587}
    v4, v6 = (block for _, block in public)
    assert {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10"} <= set(
        v4["except"]
    )
    assert {"fc00::/7", "fe80::/10"} <= set(v6["except"])
    [entrance] = policies["jetway-api"]["spec"]["ingress"]
    assert len(entrance["from"]) == 2
    [entrance] = policies["jetway-worker"]["spec"]["ingress"]
    assert (entrance["ports"][0]["port"], entrance["ports"][0]["endPort"]) == (9810, 9813)
    assert len(entrance["from"]) == 1
    assert "jetway-beat" not in policies


def test_what_is_switched_off_is_not_there() -> None:
    """What remains is what serves, works and sends."""
    kinds = {one["kind"] for one in rendered()["bare"]["objects"]}

    assert kinds == {"Deployment", "Service", "ConfigMap", "Secret", "ServiceAccount"}
    assert "topologySpreadConstraints" not in pods("bare")["worker"]
    assert "There is no NetworkPolicy" in rendered()["bare"]["notes"]
