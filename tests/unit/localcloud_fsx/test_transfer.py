"""Where the content of files comes from."""

from localcloud.fsx.transfer import Link, Transfer


def test_content_that_is_known_is_not_asked_for(tmp_path, cloud):
    cloud.s3.create_bucket(Bucket="linked", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    cloud.put("linked", known=b"known", asked=b"asked")
    asked = []
    cloud.s3.meta.events.register("provide-client-params.s3.GetObject", lambda params, **_: asked.append(params["Key"]))
    transfer = Transfer(tmp_path / "root", tmp_path / "private", cloud.s3, lambda _, key: {"known": b"known"}.get(key))

    transfer.import_metadata(Link("data", "linked", ""))
    transfer.fill()

    files = {file.name: file.read_bytes() for file in (tmp_path / "root" / "data").iterdir()}
    assert files == {"known": b"known", "asked": b"asked"}
    assert asked == ["asked"]
    transfer.close()
