"""What is the same for a whole region: zones, attributes of the account, instance types."""

from tests.api.ec2.ec2 import Ec2


def test_zones_are_those_of_the_default_subnets(ec2: Ec2):
    zones = ec2("DescribeAvailabilityZones")["AvailabilityZones"]
    subnets = ec2("DescribeSubnets")["Subnets"]
    assert [(zone["ZoneName"], zone["ZoneId"], zone["State"]) for zone in zones] == [
        (subnet["AvailabilityZone"], subnet["AvailabilityZoneId"], "available") for subnet in subnets
    ]
    (second,) = ec2("DescribeAvailabilityZones", ZoneNames=["us-east-1b"])["AvailabilityZones"]
    assert second == zones[1]
    assert ec2("DescribeAvailabilityZones", ZoneIds=[zones[1]["ZoneId"]])["AvailabilityZones"] == [second]
    available = [{"Name": "state", "Values": ["available"]}]
    assert ec2("DescribeAvailabilityZones", Filters=available)["AvailabilityZones"] == zones
    error = ec2.refused("DescribeAvailabilityZones", ZoneNames=["us-east-1z"])
    assert (error.code, error.message) == ("InvalidParameterValue", "Invalid availability zones: [us-east-1z]")


def test_regions_include_that_of_the_call(ec2: Ec2):
    names = [region["RegionName"] for region in ec2("DescribeRegions", region="lab-1")["Regions"]]
    assert "us-east-1" in names
    assert names[-1] == "lab-1"
    (only,) = ec2("DescribeRegions", RegionNames=["eu-west-1"])["Regions"]
    assert only["Endpoint"] == "ec2.eu-west-1.amazonaws.com"
    assert ec2.code("DescribeRegions", RegionNames=["mars-1"]) == "InvalidParameterValue"


def test_the_account_names_its_default_vpc(ec2: Ec2):
    (attribute,) = ec2("DescribeAccountAttributes", AttributeNames=["default-vpc"])["AccountAttributes"]
    assert attribute["AttributeValues"] == [{"AttributeValue": ec2.vpc}]
    every = {each["AttributeName"] for each in ec2("DescribeAccountAttributes")["AccountAttributes"]}
    assert {"supported-platforms", "max-instances"} <= every
    (other,) = ec2("DescribeAccountAttributes", region="eu-west-1", AttributeNames=["default-vpc"])["AccountAttributes"]
    assert other["AttributeValues"] == [{"AttributeValue": "none"}]


def test_instance_types_have_their_sizes(ec2: Ec2):
    micro, large = ec2("DescribeInstanceTypes", InstanceTypes=["t2.micro", "m5.large"])["InstanceTypes"]
    assert (micro["VCpuInfo"]["DefaultVCpus"], micro["MemoryInfo"]["SizeInMiB"]) == (1, 1024)
    assert (large["VCpuInfo"]["DefaultVCpus"], large["BurstablePerformanceSupported"]) == (2, False)
    where = [{"Name": "free-tier-eligible", "Values": ["true"]}]
    free = ec2("DescribeInstanceTypes", Filters=where)["InstanceTypes"]
    assert [each["InstanceType"] for each in free] == ["t2.micro", "t3.micro"]
    assert ec2.code("DescribeInstanceTypes", Filters=[{"Name": "x", "Values": ["y"]}]) == "InvalidParameterValue"


def test_instance_types_are_offered_in_every_zone(ec2: Ec2):
    where = [{"Name": "instance-type", "Values": ["t3.micro"]}]
    offers = ec2("DescribeInstanceTypeOfferings", LocationType="availability-zone", Filters=where)
    places = [each["Location"] for each in offers["InstanceTypeOfferings"]]
    assert places == ["us-east-1a", "us-east-1b", "us-east-1c"]
    bad = [{"Name": "x", "Values": ["y"]}]
    assert ec2.code("DescribeInstanceTypeOfferings", Filters=bad) == "InvalidParameterValue"
