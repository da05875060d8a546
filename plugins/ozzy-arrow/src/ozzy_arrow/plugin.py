"""What this package offers."""

from ozzy import Module, hookimpl


@hookimpl
def ozzy_decode() -> dict[str, Module]:
    """Decoders."""
    return {
        "arrow": Module("ozzy_arrow.decoder_arrow:ArrowDecoder", "Arrow IPC, files and streams."),
        "feather": Module("ozzy_arrow.decoder_arrow:FeatherDecoder", "Feather, version 2."),
        "parquet": Module("ozzy_arrow.decoder_parquet:ParquetDecoder", "Parquet; only the columns that are needed are read."),
    }


@hookimpl
def ozzy_format() -> dict[str, Module]:
    """Formatters."""
    return {
        "arrow": Module("ozzy_arrow.formatter_arrow:ArrowExportFormatter", "Arrow IPC, files or streams."),
        "feather": Module("ozzy_arrow.formatter_arrow:FeatherExportFormatter", "Feather, version 2."),
        "parquet": Module("ozzy_arrow.formatter_parquet:ParquetExportFormatter", "Parquet, compressed by snappy unless asked otherwise."),
    }
