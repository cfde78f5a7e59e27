from django.db import migrations, models

from portal.models.people import validate_language


class Migration(migrations.Migration):
    dependencies = [
        ("portal", "0016_cohort_limits"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="language",
            field=models.CharField(blank=True, default="", max_length=16, validators=[validate_language]),
        ),
    ]
