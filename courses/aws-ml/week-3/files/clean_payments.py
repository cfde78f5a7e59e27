"""Cleans the raw card payments with PySpark, and writes them as Parquet, a folder a day, with a summary as CSV.

    spark-submit --master "local[*]" clean_payments.py --input payments-raw.csv --output processed

Made for this course. Use it as you like (CC0).
"""

import argparse

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

SCHEMA = """payment_id STRING, paid_at TIMESTAMP, city STRING, merchant_type STRING,
            amount_usd DECIMAL(10,2), customer_id STRING, minutes_since_last INT, is_fraud INT"""


def clean(payments):
    """One row a payment, with a time and an amount above zero; merchant types in small letters, without spaces."""
    return (
        payments.withColumn("merchant_type", F.lower(F.trim("merchant_type")))
        .filter(F.col("paid_at").isNotNull() & (F.col("amount_usd") > 0))
        .dropDuplicates(["payment_id"])
        .withColumn("paid_on", F.date_format("paid_at", "yyyy-MM-dd"))
    )


def main():
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--input", required=True)
    words.add_argument("--output", required=True)
    words.add_argument("--one-file-a-day", action="store_true", help="gather each day's rows before they are written")
    given = words.parse_args()

    spark = (
        SparkSession.builder.appName("clean payments")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", "8")
        .getOrCreate()
    )
    payments = clean(spark.read.csv(given.input, header=True, schema=SCHEMA)).cache()

    # Eight tasks write at once, as on a small cluster: each has rows of every day, and writes a file for each.
    spread = payments.repartition("paid_on") if given.one_file_a_day else payments.repartition(8)
    spread.write.mode("overwrite").partitionBy("paid_on").parquet(f"{given.output}/payments")

    summary = payments.groupBy("merchant_type").agg(
        F.count("*").alias("payments"), F.sum("is_fraud").alias("frauds"), F.sum("amount_usd").alias("usd")
    )
    summary.coalesce(1).orderBy("merchant_type").write.mode("overwrite").csv(f"{given.output}/summary", header=True)
    spark.stop()


if __name__ == "__main__":
    main()
