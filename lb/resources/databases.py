"""Whether instances reach the database: what the security groups of DB instances say."""

from lb.resources import security
from lb.resources.records import Kind, Record, Records, Transaction


def blocks_database(records: Records | Transaction, instance: Record, port: int) -> bool:
    """Whether there are DB instances in the region and none of them lets the instance in to `port`.

    All of them have the one MySQL server as their endpoint, so one that does is enough.
    """
    databases = [each for each in records.all(Kind.DB_INSTANCE) if each.region == instance.region]
    groups = [group["GroupId"] for group in instance.shape["SecurityGroups"]]
    block = f"{instance.shape['PrivateIpAddress']}/32"
    return bool(databases) and not any(
        security.admits(
            records,
            [group["VpcSecurityGroupId"] for group in database.shape["VpcSecurityGroups"]],
            port,
            groups,
            (block,),
        )
        for database in databases
    )
