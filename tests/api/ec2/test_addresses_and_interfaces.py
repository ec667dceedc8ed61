"""Elastic addresses, and network interfaces computed from what has them."""

from lb.resources.records import Kind
from tests.api.ec2.ec2 import Ec2


def allocated(ec2: Ec2) -> str:
    return ec2("AllocateAddress", Domain="vpc")["AllocationId"]


def test_an_address_is_that_of_its_instance(ec2: Ec2):
    (instance,) = ec2.run()
    made = ec2("AllocateAddress")
    association = ec2("AssociateAddress", AllocationId=made["AllocationId"], InstanceId=instance)["AssociationId"]
    (address,) = ec2("DescribeAddresses", PublicIps=[made["PublicIp"]])["Addresses"]
    assert (address["InstanceId"], address["AssociationId"]) == (instance, association)
    assert ec2.instance(instance)["PublicIpAddress"] == made["PublicIp"]
    (interface,) = ec2("DescribeNetworkInterfaces")["NetworkInterfaces"]
    assert interface["Association"]["AllocationId"] == made["AllocationId"]
    assert interface["NetworkInterfaceId"] == address["NetworkInterfaceId"]
    error = ec2.refused("ReleaseAddress", AllocationId=made["AllocationId"])
    assert (error.code, error.message) == ("InvalidIPAddress.InUse", f"Address {made['PublicIp']} is in use.")
    ec2("DisassociateAddress", AssociationId=association)
    assert ec2.instance(instance)["PublicIpAddress"].startswith("127.")
    ec2("ReleaseAddress", AllocationId=made["AllocationId"])
    code = ec2.code("DescribeAddresses", AllocationIds=[made["AllocationId"]])
    assert code == "InvalidAllocationID.NotFound"


def test_an_address_moves_unless_that_is_forbidden(ec2: Ec2):
    first, second = ec2.run(2)
    allocation = allocated(ec2)
    ec2("AssociateAddress", AllocationId=allocation, InstanceId=first)
    given = {"AllocationId": allocation, "InstanceId": second}
    assert ec2.code("AssociateAddress", **given, AllowReassociation=False) == "Resource.AlreadyAssociated"
    association = ec2("AssociateAddress", **given)["AssociationId"]
    assert ec2("AssociateAddress", **given)["AssociationId"] == association
    assert ec2.only(Kind.ADDRESS).shape["InstanceId"] == second


def test_an_instance_has_one_address_and_gives_it_back_when_terminated(ec2: Ec2):
    (instance,) = ec2.run()
    interface = ec2.instance(instance)["NetworkInterfaces"][0]["NetworkInterfaceId"]
    first, second = allocated(ec2), allocated(ec2)
    ec2("AssociateAddress", AllocationId=first, InstanceId=instance)
    ec2("AssociateAddress", AllocationId=second, NetworkInterfaceId=interface)
    where = [{"Name": "instance-id", "Values": [instance]}]
    assert [each["AllocationId"] for each in ec2("DescribeAddresses", Filters=where)["Addresses"]] == [second]
    ec2("TerminateInstances", InstanceIds=[instance])
    assert ec2("DescribeAddresses", Filters=where)["Addresses"] == []


def test_addresses_that_do_not_exist_are_refused(ec2: Ec2):
    allocation = allocated(ec2)
    unknown = {"AllocationId": allocation, "InstanceId": "i-0123"}
    assert ec2.code("AssociateAddress", **unknown) == "InvalidInstanceID.NotFound"
    assert ec2.code("AssociateAddress", AllocationId=allocation) == "MissingParameter"
    no_interface = {"AllocationId": allocation, "NetworkInterfaceId": "eni-0123"}
    assert ec2.code("AssociateAddress", **no_interface) == "InvalidNetworkInterfaceID.NotFound"
    error = ec2.refused("DisassociateAddress", AssociationId="eipassoc-0123")
    assert (error.code, error.message) == (
        "InvalidAssociationID.NotFound",
        "The association ID 'eipassoc-0123' does not exist",
    )
    error = ec2.refused("ReleaseAddress", PublicIp="192.0.2.1")
    assert (error.code, error.message) == ("InvalidAddress.NotFound", "Address '192.0.2.1' not found.")
    assert ec2.code("ReleaseAddress") == "MissingParameter"


def test_no_more_addresses_than_the_quota(ec2: Ec2):
    public = {ec2("AllocateAddress")["PublicIp"] for _ in range(5)}
    assert len(public) == 5
    assert ec2.code("AllocateAddress") == "AddressLimitExceeded"


def test_addresses_have_no_reverse_names(ec2: Ec2):
    allocation = allocated(ec2)
    answer = ec2("DescribeAddressesAttribute", AllocationIds=[allocation], Attribute="domain-name")
    assert answer["Addresses"][0].keys() == {"AllocationId", "PublicIp"}


def test_a_load_balancer_has_an_interface_in_each_subnet_while_it_exists(ec2: Ec2):
    arn = ec2.balancer("web")
    where = [{"Name": "description", "Values": ["ELB app/web/*"]}]
    found = ec2("DescribeNetworkInterfaces", Filters=where)["NetworkInterfaces"]
    assert {each["SubnetId"] for each in found} == {ec2.subnet("a"), ec2.subnet("b")}
    for each in found:
        assert (each["RequesterId"], each["RequesterManaged"]) == ("amazon-elb", True)
        assert each["Groups"] == [{"GroupId": ec2.group, "GroupName": "default"}]
    assert found == ec2("DescribeNetworkInterfaces", Filters=where)["NetworkInterfaces"]
    call = ec2.aws.call()
    call.tx.delete(Kind.LOAD_BALANCER, arn)
    ec2.aws.commit(call)
    assert ec2("DescribeNetworkInterfaces", Filters=where)["NetworkInterfaces"] == []
    error = ec2.refused("DescribeNetworkInterfaces", NetworkInterfaceIds=[found[0]["NetworkInterfaceId"]])
    assert error.code == "InvalidNetworkInterfaceID.NotFound"


def test_interfaces_are_found_by_group_and_instance(ec2: Ec2):
    (instance,) = ec2.run()
    ec2.balancer()
    by_group = [{"Name": "group-id", "Values": [ec2.group]}]
    assert len(ec2("DescribeNetworkInterfaces", Filters=by_group)["NetworkInterfaces"]) == 3
    by_instance = [{"Name": "attachment.instance-id", "Values": [instance]}]
    (interface,) = ec2("DescribeNetworkInterfaces", Filters=by_instance)["NetworkInterfaces"]
    assert interface["PrivateIpAddress"] == ec2.instance(instance)["PrivateIpAddress"]
